import { MAX_GENESIS_BYTES } from '@sgsd/wire'
import type { Channel } from '../channel.ts'
import { FrameReader, sendFrame } from '../frames.ts'

/** Answers one `/sgs/genesis/1` stream: the genesis bytes in one frame, then the end. */
export async function serveGenesis(channel: Channel, genesis: Uint8Array): Promise<void> {
  await sendFrame(channel, genesis)
  await channel.end()
}

/** @throws MeshError FRAME_TOO_LARGE | STREAM_CLOSED | STALLED */
export async function requestGenesis(channel: Channel): Promise<Uint8Array> {
  const genesis = await new FrameReader(channel).expect(MAX_GENESIS_BYTES)
  await channel.end()
  return genesis
}
