import type { Derived } from '../evidence/derive.ts'
import { Readout } from '../evidence/predict.ts'
import { type Answers, byMean } from './association.ts'

/**
 * What a lattice of evidence answers. A candidate is scored by the mean of what the line lifts its characters above their prior; guessed are the
 * characters whose prediction is greatest. A line without known characters lifts nothing.
 */
export function latticeAnswers(derived: Derived, lines: readonly Uint32Array[]): Answers {
  const readout = new Readout(derived)
  const { state } = derived
  const nothing = new Float32Array(state.length)
  return {
    scorer: byMean(lines, (query) => {
      const line = lines[query]!
      if (line.length === 0) return nothing
      const lifted = readout.state(line)
      for (let row = 0; row < lifted.length; row++) lifted[row]! -= state[row]!
      return lifted
    }),
    guesser: (query, count) => readout.nearest(lines[query]!, [], count).map(({ row }) => row),
  }
}
