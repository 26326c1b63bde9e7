import type { HanziKernel } from '../hanzi-kernel.ts'
import { lineRows } from '../evidence/adjacent-lines.ts'
import type { LineScorer } from './examine.ts'
import type { TextDocument } from './split.ts'

/** Inverse frequency of each row over units (lines or documents, as sets of rows): ln(units / units that have it), 0 for rows in none. */
export function inverseFrequency(rows: number, units: readonly Uint32Array[]): Float64Array {
  const having = new Float64Array(rows)
  for (const unit of units) for (const row of unit) having[row]!++
  return having.map((count) => (count === 0 ? 0 : Math.log(units.length / count)))
}

/** Cosine of lines as bags of characters weighted by their inverse line frequency: what shares words. */
export function tfIdfScorer(kernel: HanziKernel, train: readonly TextDocument[], lines: readonly Uint32Array[]): LineScorer {
  const idf = inverseFrequency(
    kernel.definedCount,
    train.flat().map((text) => lineRows(kernel, text)),
  )
  const squares = idf.map((weight) => weight * weight)
  const norms = lines.map((rows) => Math.sqrt(rows.reduce((sum, row) => sum + squares[row]!, 0)))
  const of = new Float64Array(kernel.definedCount)
  return (query) => {
    of.fill(0)
    for (const row of lines[query]!) of[row] = squares[row]!
    return (candidate) => {
      let dot = 0
      for (const row of lines[candidate]!) dot += of[row]!
      return norms[candidate] === 0 ? 0 : dot / norms[candidate]!
    }
  }
}
