import { fold, type LayerId, type PeerName } from '@sgsd/consensus'
import type { LatticeCompute } from '@sgsd/compute'
import { cover, type LatticeMatrices, linesOf, scoreGuesses, type TextDocument, wantedRows } from '@sgsd/lattice'
import { parseRowBlock } from '@sgsd/wire'
import type { Materials } from './materials.ts'

/** Kangxi radicals: the member owns them all. */
const RADICALS: readonly number[] = Array.from({ length: 214 }, (_, i) => i + 1)
/** Lines between two looks at the signal. */
const LINES_PER_CALL = 50
/** Guesses that a line is graded by. */
const GUESSES = 20

export interface HebbRun {
  readonly matrices: LatticeMatrices
  /** Lines learned from, and their mean next-line score in each quarter of the run. */
  readonly lines: number
  readonly meanScores: readonly number[]
}

/**
 * One pass of the Hebb rule over the first lines of some documents, on the lattice's own engine.
 * @param taught - the next line is the teacher, as a host's revision is; otherwise the published rule, whose teacher is the line itself
 */
export async function learnByHebb(
  { kernel, base }: Pick<Materials, 'kernel' | 'base'>,
  lattice: LatticeCompute,
  documents: readonly TextDocument[],
  limit: number,
  taught: boolean,
  signal: AbortSignal,
): Promise<HebbRun> {
  const lines = linesOf(documents).slice(0, limit)
  await lattice.setOwned(RADICALS)
  const scores: { readonly graded: number; readonly mean: number }[] = []
  for (let at = 0; at < lines.length - 1; at += LINES_PER_CALL) {
    signal.throwIfAborted()
    const part = lines.slice(at, at + LINES_PER_CALL + 1)
    const { graded, meanScore } = taught ? await teach(lattice, part) : await lattice.farm(part)
    scores.push({ graded, mean: meanScore })
  }
  const { radicals } = await lattice.commit()
  const blocks = radicals.map(({ bytes }) => {
    const verdict = parseRowBlock(bytes)
    if (verdict.type !== 'accept') throw new Error(`a block of this very process is refused: ${verdict.reason}`)
    return verdict.value
  })
  const state = new Float32Array(kernel.definedCount)
  const member = { peer: 'hebb' as PeerName, seq: 1n, layer: 'hebb' as LayerId, weight: 1, blocks, state }
  return {
    matrices: fold('mean/1', base, state, [member]).matrices,
    lines: scores.reduce((sum, { graded }) => sum + graded, 0),
    meanScores: quarters(scores),
  }

  /** Each line's next line is what a host would have written instead. */
  async function teach(to: LatticeCompute, part: readonly string[]): Promise<{ graded: number; meanScore: number }> {
    const known = part.flatMap((line, i) => {
      const revision = part[i + 1] ?? ''
      return line === '' || revision === '' || cover(kernel, line).rows.length === 0 ? [] : [{ line, revision }]
    })
    const predictions = await to.predict(
      known.map(({ line }) => line),
      GUESSES,
    )
    const items = known.flatMap(({ line, revision }, i) => {
      const wanted = wantedRows(cover(kernel, revision).rows, new Set(cover(kernel, line).rows))
      const guesses = predictions[i]!.nearest.map(({ character, value }) => ({ row: kernel.rowOf(character)!, value }))
      const score = scoreGuesses(guesses, wanted, GUESSES)?.score
      return score === undefined ? [] : [{ line, revision, score }]
    })
    return await to.learn(items)
  }
}

function quarters(scores: readonly { readonly graded: number; readonly mean: number }[]): number[] {
  return [0, 1, 2, 3].map((quarter) => {
    const part = scores.slice(Math.floor((quarter * scores.length) / 4), Math.floor(((quarter + 1) * scores.length) / 4))
    const graded = part.reduce((sum, each) => sum + each.graded, 0)
    return graded === 0 ? 0 : part.reduce((sum, each) => sum + each.graded * each.mean, 0) / graded
  })
}
