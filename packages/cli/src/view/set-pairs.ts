import type { JoinEngineName, SetPairs } from '@sgsd/compute'
import type { TokenKind } from '@sgsd/hllset'
import type { Pair } from '../best-pairs.ts'
import { plainText } from '../text/display-width.ts'
import { count } from '../text/figures.ts'
import type { Style } from '../text/style.ts'
import { type Column, table } from '../text/table.ts'
import type { TextSets } from '../text-sets.ts'

/** `sgsd set pairs`, as programs read it. */
export interface PairsDocument {
  readonly schema: 'sgsd.set-pairs/1'
  readonly engine: JoinEngineName
  readonly tokens: TokenKind
  readonly unit: 'lines' | 'documents'
  readonly tau: number
  readonly rho: number
  readonly top: number
  /** Sets, and distinct tokens of all of them. */
  readonly sets: number
  readonly distinctTokens: number
  /** Pairs that pass, at most `top` of each A; `pairs` are the best of them. */
  readonly found: number
  readonly pairs: readonly PairDocument[]
}

export interface PairDocument {
  readonly a: SetDocument
  readonly b: SetDocument
  readonly tau: number
  readonly rho: number
  readonly shared: number
}

interface SetDocument {
  /** Number of its first line, from 1. */
  readonly line: number
  /** Distinct tokens. */
  readonly size: number
  /** How it begins. */
  readonly text: string
}

export interface PairsQuestion {
  readonly engine: JoinEngineName
  readonly tokens: TokenKind
  readonly documents?: boolean
  readonly tau: number
  readonly rho: number
  readonly top: number
}

export function pairsDocument(question: PairsQuestion, { sets, tokens }: TextSets, found: SetPairs, best: readonly Pair[]): PairsDocument {
  const set = (at: number): SetDocument => ({ line: sets[at]!.line, size: found.sizes[at]!, text: sets[at]!.text })
  return {
    schema: 'sgsd.set-pairs/1',
    engine: question.engine,
    tokens: question.tokens,
    unit: question.documents === true ? 'documents' : 'lines',
    tau: question.tau,
    rho: question.rho,
    top: question.top,
    sets: sets.length,
    distinctTokens: tokens,
    found: found.cols.length,
    pairs: best.map(({ a, b, tau, rho, shared }) => ({ a: set(a), b: set(b), tau, rho, shared })),
  }
}

/** Pairs whose widths are looked at and laid out together. */
const TABLE_ROWS = 10_000

export function* pairsView(document: PairsDocument, width: number, style: Style): Generator<string, void> {
  const { pairs, found, sets, unit } = document
  const columns: Column<PairDocument>[] = [
    { title: 'TAU', align: 'right', text: ({ tau }) => tau.toFixed(3) },
    { title: 'RHO', align: 'right', text: ({ rho }) => rho.toFixed(3) },
    { title: 'SHARED', align: 'right', text: ({ shared }) => count(shared), dropOrder: 1 },
    { title: 'LINE', align: 'right', text: ({ a }) => String(a.line) },
    { title: 'A', text: ({ a }) => plainText(a.text), min: 8 },
    { title: 'LINE', align: 'right', text: ({ b }) => String(b.line) },
    { title: 'B', text: ({ b }) => plainText(b.text), min: 8 },
  ]
  for (let from = 0; from < pairs.length; from += TABLE_ROWS) {
    yield* table(columns, pairs.slice(from, from + TABLE_ROWS), width, (head) => style.dim(head))
  }
  const more = found > pairs.length ? `, the best ${count(pairs.length)} of them here` : ''
  yield style.dim(`${count(found)} pairs of ${count(sets)} ${unit}${more}`)
}
