import { cover, type HanziKernel, nextLineScore } from '@sgsd/lattice'
import type { Settler } from '../lattice/answering.ts'
import type { LinesScore } from './port.ts'

/** How well a lattice foretells each line's successor: the mean next-line score of the lines that have one. */
export async function scoreLines(kernel: HanziKernel, lattice: Settler, lines: readonly string[]): Promise<LinesScore> {
  let items = 0
  let sum = 0
  for (const [at, line] of lines.slice(0, -1).entries()) {
    const { rows } = cover(kernel, line)
    if (rows.length === 0) continue
    const { state } = await lattice.settle(rows)
    const score = nextLineScore(state, kernel, lines[at + 1]!, undefined, rows)?.score
    if (score === undefined) continue
    items += 1
    sum += score
  }
  return { score: items === 0 ? 0 : sum / items, items }
}
