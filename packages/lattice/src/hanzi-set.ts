import { addToken, emptySet, type HllSet, setOf } from '@sgsd/hllset'
import type { HanziKernel } from './hanzi-kernel.ts'

/** The sketch of a character's tokens: what travels and joins by OR where the exact set is not at hand. */
export function hanziSet(kernel: HanziKernel, row: number, seed = 0): HllSet {
  return setOf(kernel.tokensOf(row), seed)
}

/** The sketch of all tokens of some characters: the union of their sets, for instance of a text's cover. */
export function coverSet(kernel: HanziKernel, rows: Iterable<number>, seed = 0): HllSet {
  const set = emptySet(seed)
  for (const row of rows) for (const token of kernel.tokensOf(row)) addToken(set, token)
  return set
}
