import { endianness } from 'node:os'
import { setImmediate as turn } from 'node:timers/promises'
import type { EmbeddingRequest } from './embedding-request.ts'

/** Numbers that are written between two turns of the event loop: as decimals some milliseconds. */
const VALUES_PER_PIECE = 16_384

/** The list that OpenAI's clients read, in pieces, so that a large one does not hold up everything else. @param vectors - of all texts, one after another */
export async function* embeddingPieces(
  { texts, format, dimensions, characters }: Pick<EmbeddingRequest, 'texts' | 'format' | 'dimensions' | 'characters'>,
  model: string,
  vectors: Float32Array,
): AsyncGenerator<string> {
  const perPiece = Math.max(1, Math.floor(VALUES_PER_PIECE / dimensions))
  yield '{"object":"list","data":['
  for (let from = 0; from < texts.length; from += perPiece) {
    let piece = ''
    for (let i = from; i < Math.min(texts.length, from + perPiece); i++) {
      const vector = vectors.subarray(i * dimensions, (i + 1) * dimensions)
      const embedding = format === 'base64' ? `"${base64(vector)}"` : `[${vector.join(',')}]`
      piece += `${i === 0 ? '' : ','}{"object":"embedding","index":${i},"embedding":${embedding}}`
    }
    yield piece
    await turn()
  }
  yield `],"model":${JSON.stringify(model)},"usage":{"prompt_tokens":${characters},"total_tokens":${characters}}}`
}

/** binary32, little-endian. */
function base64(vector: Float32Array): string {
  const bytes = Buffer.from(vector.slice().buffer)
  return (endianness() === 'LE' ? bytes : bytes.swap32()).toString('base64')
}
