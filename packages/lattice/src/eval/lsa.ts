import type { HanziKernel } from '../hanzi-kernel.ts'
import { cover } from '../cover.ts'
import type { LineScorer } from './examine.ts'
import type { TextDocument } from './split.ts'
import { leftSingular, type SparseColumns } from './singular.ts'
import { inverseFrequency } from './tf-idf.ts'

/** Dimensions of the latent space. */
const DIMENSIONS = 128

/**
 * Latent semantic analysis: the truncated singular value decomposition of characters by documents, weighted (1 + ln tf)·idf; lines are folded in by
 * U·Σ and compared by cosine.
 */
export function lsaScorer(kernel: HanziKernel, train: readonly TextDocument[], lines: readonly Uint32Array[], seed: number): LineScorer {
  const bags = train.map((document) => bagOf(kernel, document))
  const idf = inverseFrequency(
    kernel.definedCount,
    bags.map((bag) => Uint32Array.from(bag.keys())),
  )
  // only rows that occur: the others are zero
  const compact = new Map<number, number>()
  for (const bag of bags) for (const row of bag.keys()) if (!compact.has(row)) compact.set(row, compact.size)
  const { vectors, values } = leftSingular(matrixOf(bags, idf, compact), DIMENSIONS, seed)
  const embedded = lines.map((rows) => {
    const known = rows.filter((row) => compact.has(row))
    const at = known.map((row) => compact.get(row)!)
    const point = Float64Array.from(vectors, (vector, d) => {
      let sum = 0
      for (let i = 0; i < at.length; i++) sum += idf[known[i]!]! * vector[at[i]!]!
      return sum * values[d]!
    })
    const norm = Math.sqrt(point.reduce((sum, x) => sum + x * x, 0))
    return norm === 0 ? point : point.map((x) => x / norm)
  })
  return (query) => {
    const a = embedded[query]!
    return (candidate) => {
      const b = embedded[candidate]!
      let dot = 0
      for (let d = 0; d < a.length; d++) dot += a[d]! * b[d]!
      return dot
    }
  }
}

/** Row → occurrences in a document. */
function bagOf(kernel: HanziKernel, document: TextDocument): Map<number, number> {
  const bag = new Map<number, number>()
  for (const line of document) for (const row of cover(kernel, line).rows) bag.set(row, (bag.get(row) ?? 0) + 1)
  return bag
}

function matrixOf(bags: readonly Map<number, number>[], idf: Float64Array, compact: ReadonlyMap<number, number>): SparseColumns {
  const entries = bags.reduce((sum, bag) => sum + bag.size, 0)
  const ptr = new Uint32Array(bags.length + 1)
  const at = new Uint32Array(entries)
  const vals = new Float64Array(entries)
  let end = 0
  for (const [document, bag] of bags.entries()) {
    for (const [row, times] of bag) {
      at[end] = compact.get(row)!
      vals[end++] = (1 + Math.log(times)) * idf[row]!
    }
    ptr[document + 1] = end
  }
  return { rows: compact.size, ptr, at, vals }
}
