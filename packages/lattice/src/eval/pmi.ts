import type { EvidenceCsr } from '../evidence/counts.ts'
import { type Association, associationOf } from './association.ts'

/** Exponent of the next line's masses: it lends weight to what is seldom, as in word2vec and GloVe. */
const SMOOTHING = 0.75

/** Pointwise mutual information of adjacent lines, the baseline that the targets are measured by: ln(C[u][v] / (r[u] · p(v))), p from c^¾. */
export function pmiOf(counts: EvidenceCsr): Association {
  const line = new Float64Array(counts.rows)
  const next = new Float64Array(counts.rows)
  for (let v = 0; v < counts.rows; v++) {
    for (let e = counts.ptr[v]!; e < counts.ptr[v + 1]!; e++) {
      line[counts.cols[e]!]! += counts.counts[e]!
      next[v]! += counts.counts[e]!
    }
  }
  const smoothed = next.map((mass) => mass ** SMOOTHING)
  const total = smoothed.reduce((a, b) => a + b, 0)
  return associationOf(counts, (count, u, v) => Math.log((count * total) / (line[u]! * smoothed[v]!)))
}
