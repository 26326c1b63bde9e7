import { MAX_ADMISSION_BYTES } from '@sgsd/wire'
import type { PeerName } from '@sgsd/consensus'
import type { Channel } from '../channel.ts'
import { FrameReader, sendFrame } from '../frames.ts'
import type { MeshHandlers } from '../port.ts'

/** Answers one `/sgs/probe/1` stream: a frame for a frame. */
export async function serveProbe(
  channel: Channel,
  from: PeerName,
  onProbe: NonNullable<MeshHandlers['onProbe']>,
  signal: AbortSignal,
): Promise<void> {
  const probe = await new FrameReader(channel).expect(MAX_ADMISSION_BYTES)
  await sendFrame(channel, await onProbe(probe, from, signal))
  await channel.end()
}

/** @throws MeshError FRAME_TOO_LARGE | STREAM_CLOSED | STALLED */
export async function requestProbe(channel: Channel, probe: Uint8Array): Promise<Uint8Array> {
  await sendFrame(channel, probe)
  await channel.end()
  return await new FrameReader(channel).expect(MAX_ADMISSION_BYTES)
}
