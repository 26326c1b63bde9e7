import type { SimilarDocument } from '../control/api.ts'
import { DaemonError } from '../daemon-error.ts'
import { ApiError } from './api-error.ts'
import { DEFAULT_DIMENSIONS } from './embedding-request.ts'
import type { Embeddings } from './embeddings.ts'

/** Longest wait for an answer, ms. */
const ANSWER_MS = 60_000

/** Cosines of all pairs of texts. @throws DaemonError TEXT_UNKNOWN | LAYER_UNKNOWN | BUSY */
export async function similar(embeddings: Embeddings, texts: readonly string[], name: string, signal: AbortSignal): Promise<SimilarDocument> {
  const { model, vectors } = await embeddings
    .embed(name, texts, DEFAULT_DIMENSIONS, AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]))
    .catch((error: unknown) => {
      throw error instanceof ApiError ? refused(error, texts) : error
    })
  const vectorOf = (i: number): Float32Array => vectors.subarray(i * DEFAULT_DIMENSIONS, (i + 1) * DEFAULT_DIMENSIONS)
  const cosines = texts.map((_, i) => texts.map((__, j) => (i === j ? 1 : dot(vectorOf(i), vectorOf(j)))))
  return { schema: 'sgsd.similar/1', model, texts, cosines }
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

function refused(error: ApiError, texts: readonly string[]): DaemonError {
  const options = { cause: error }
  switch (error.code) {
    case 'no_known_characters': {
      const text = texts[Number(/\d+/.exec(error.message)?.[0])] ?? ''
      return new DaemonError(
        'TEXT_UNKNOWN',
        `the lattice knows no character of ${JSON.stringify(text.slice(0, 64))}`,
        'compare texts with Chinese characters',
        options,
      )
    }
    case 'model_not_found':
      return new DaemonError('LAYER_UNKNOWN', error.message, "sgsd status names this node's layer", options)
    default:
      return new DaemonError('BUSY', error.message, 'try again in a moment', options)
  }
}
