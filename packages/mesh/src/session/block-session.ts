import { pipe } from 'it-pipe'
import type { BlockId } from '@sgsd/consensus'
import { encodeBlockHeader, encodeBlockRequest, MAX_BLOCK_BYTES, MAX_BLOCK_MESSAGE_BYTES, parseBlockHeader, parseBlockRequest } from '@sgsd/wire'
import type { Channel } from '../channel.ts'
import { FrameReader, joined, sendFrame } from '../frames.ts'
import { MeshError } from '../mesh-error.ts'
import type { BlockTarget, MeshHandlers } from '../port.ts'

/** Compressed bytes taken for one block: zstd adds at most 0.4 % and a header to bytes that do not compress. */
const MAX_COMPRESSED_BYTES = MAX_BLOCK_BYTES + MAX_BLOCK_BYTES / 128

/** Answers one `/sgs/block/1` stream: request frame → header frame → the block's compressed bytes from the offset on → end. */
export async function serveBlock(channel: Channel, readBlock: MeshHandlers['readBlock']): Promise<void> {
  const request = parseBlockRequest(await new FrameReader(channel).expect(MAX_BLOCK_MESSAGE_BYTES))
  if (request.type !== 'accept') throw new MeshError('FRAME_INVALID', { peer: channel.peer, detail: request.reason })
  const { id, offset } = request.value
  const found = await readBlock(id, offset)
  if (found === undefined) {
    await sendFrame(channel, encodeBlockHeader({ error: 'not-found' }))
    return await channel.end()
  }
  await sendFrame(channel, encodeBlockHeader({ size: found.size }))
  await pipe(found.body, (pieces) => sendPieces(channel, pieces))
  await channel.end()
}

/**
 * Fetches a block's compressed bytes into `target`, from `target.have` on. The pull goes piece by piece from the peer's disk to ours:
 * a slow target slows the sender, and at most one window is in memory.
 * @throws MeshError BLOCK_NOT_FOUND | PEER_BUSY | FRAME_INVALID | STALLED | STREAM_CLOSED; whatever `target.write` throws
 */
export async function requestBlock(channel: Channel, id: BlockId, target: BlockTarget): Promise<void> {
  await sendFrame(channel, encodeBlockRequest({ id, offset: target.have }))
  await channel.end()
  const reader = new FrameReader(channel)
  const header = parseBlockHeader(await reader.expect(MAX_BLOCK_MESSAGE_BYTES))
  if (header.type !== 'accept') throw new MeshError('FRAME_INVALID', { peer: channel.peer, detail: header.reason })
  if ('error' in header.value) {
    if (header.value.error === 'not-found') throw new MeshError('BLOCK_NOT_FOUND', { peer: channel.peer, block: id })
    throw new MeshError('PEER_BUSY', { peer: channel.peer, detail: header.value.error })
  }
  const { size } = header.value
  if (size > MAX_COMPRESSED_BYTES) throw new MeshError('FRAME_TOO_LARGE', { peer: channel.peer, bytes: size, limit: MAX_COMPRESSED_BYTES })
  if (size < target.have) throw new MeshError('FRAME_INVALID', { peer: channel.peer, detail: `its block has ${size} bytes, ${target.have} are here` })
  await pipe(
    reader.rest(),
    (pieces) => exactly(pieces, size - target.have, channel.peer),
    gathered,
    async (pieces) => {
      for await (const piece of pieces) await target.write(piece)
    },
  )
}

/** Pieces are handed to a target in runs of this many bytes: the network cuts them to about 25 KiB, and a write costs the same for ten. */
const RUN_BYTES = 256 * 1024

async function sendPieces(channel: Channel, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const piece of pieces) await channel.send(piece)
}

/** Passes pieces on, and throws unless they are `bytes` long together; a surplus piece is not passed on. */
async function* exactly(pieces: AsyncIterable<Uint8Array>, bytes: number, peer: string): AsyncGenerator<Uint8Array, void, undefined> {
  let missing = bytes
  for await (const piece of pieces) {
    missing -= piece.length
    if (missing < 0) throw new MeshError('FRAME_INVALID', { peer, detail: 'it sent more than it announced' })
    yield piece
  }
  if (missing > 0) throw new MeshError('STREAM_CLOSED', { peer, detail: `${missing} of ${bytes} bytes are missing` })
}

/** The same bytes in runs of at least `RUN_BYTES`; what came before a failure is passed on before the failure is, so that it can be resumed. */
async function* gathered(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let held: Uint8Array[] = []
  let bytes = 0
  try {
    for await (const piece of pieces) {
      held.push(piece)
      bytes += piece.length
      if (bytes < RUN_BYTES) continue
      const run = joined(held, bytes)
      held = []
      bytes = 0
      yield run
    }
  } catch (error) {
    if (bytes > 0) yield joined(held, bytes)
    throw error
  }
  if (bytes > 0) yield joined(held, bytes)
}
