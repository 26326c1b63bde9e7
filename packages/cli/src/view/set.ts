import {
  bitCount,
  type Change,
  type Comparison,
  compareSets,
  differenceBits,
  encodeSet,
  type Estimate,
  exactChange,
  setId,
  sizeOf,
} from '@sgsd/hllset'
import type { SetInput } from '../set-input.ts'
import { plainText, truncate } from '../text/display-width.ts'
import { bytes, count } from '../text/figures.ts'
import type { Style } from '../text/style.ts'
import { type Column, table } from '../text/table.ts'

/** Hex digits of an id in a table; documents have all 64. */
const ID_DIGITS = 16
/** Tokens that stand as examples of what was deleted and what is new. */
const EXAMPLES = 20
/** Characters of an example. */
const EXAMPLE_COLUMNS = 24

/** One set. */
export interface SetSummary {
  readonly name: string
  /** What its text was cut into; null where a set was given and not a text. */
  readonly tokens: SetInput['tokens']
  /** Tokens of the text, repeated ones counted again. */
  readonly occurrences: number | null
  /** Distinct tokens. */
  readonly size: Estimate
  /** Set bits of the registers: so many distinct tokens at least. */
  readonly bits: number
  /** Bytes of the set itself. */
  readonly bytes: number
  readonly seed: number
  /** SHA-256 of those bytes. */
  readonly id: string
}

export interface SetDocument {
  readonly schema: 'sgsd.set/1'
  readonly sets: readonly SetSummary[]
}

export interface SetMakeDocument extends SetSummary {
  readonly schema: 'sgsd.set-make/1'
  readonly out: string
  /** The inputs, of which it is the union. */
  readonly of: readonly SetSummary[]
}

type BssFigures<Figure> = { readonly tau: Figure; readonly rho: Figure } | null

/** Figures of two sets: estimates with their errors, or exact ones. */
export interface ComparisonFigures<Figure> {
  readonly a: Figure
  readonly b: Figure
  readonly union: Figure
  readonly intersection: Figure
  readonly xor: Figure
  readonly change: Change<Figure>
  readonly jaccard: Figure
  readonly cosine: Figure
  /** τ = |A ∩ B| / |B| and ρ = |A ∖ B| / |B|; null when B is empty. */
  readonly aOverB: BssFigures<Figure>
  readonly bOverA: BssFigures<Figure>
}

export interface SetCompareDocument {
  readonly schema: 'sgsd.set-compare/1'
  readonly a: SetSummary
  readonly b: SetSummary
  readonly estimates: ComparisonFigures<Estimate>
  /** Sure lower bounds of what was deleted and what is new: bits that only one set has. */
  readonly atLeast: { readonly deleted: number; readonly new: number }
  /** With --exact: the figures of the tokens themselves, and the first of them. */
  readonly exact: (ComparisonFigures<number> & { readonly examples: { readonly deleted: readonly string[]; readonly new: readonly string[] } }) | null
}

export function summaryOf({ name, set, tokens, occurrences }: SetInput): SetSummary {
  return { name, tokens, occurrences, size: sizeOf(set), bits: bitCount(set), bytes: encodeSet(set).length, seed: set.seed, id: setId(set) }
}

export function compareDocument(a: SetInput, b: SetInput): SetCompareDocument {
  return {
    schema: 'sgsd.set-compare/1',
    a: summaryOf(a),
    b: summaryOf(b),
    estimates: estimatesOf(compareSets(a.set, b.set)),
    atLeast: { deleted: bitCount(differenceBits(a.set, b.set)), new: bitCount(differenceBits(b.set, a.set)) },
    exact: a.distinct === null || b.distinct === null ? null : exactOf(a.distinct, b.distinct),
  }
}

function estimatesOf(found: Comparison): ComparisonFigures<Estimate> {
  return {
    a: found.a,
    b: found.b,
    union: found.either,
    intersection: found.both,
    xor: found.xor,
    change: { retained: found.both, deleted: found.onlyA, new: found.onlyB },
    jaccard: found.jaccard,
    cosine: found.cosine,
    aOverB: found.aOverB ?? null,
    bOverA: found.bOverA ?? null,
  }
}

function exactOf(before: ReadonlySet<string>, after: ReadonlySet<string>): NonNullable<SetCompareDocument['exact']> {
  const change = exactChange(before, after)
  const [retained, deleted, added] = [change.retained.length, change.deleted.length, change.new.length]
  const [a, b, union] = [before.size, after.size, retained + deleted + added]
  return {
    a,
    b,
    union,
    intersection: retained,
    xor: deleted + added,
    change: { retained, deleted, new: added },
    jaccard: retained / union,
    cosine: retained / Math.sqrt(a * b),
    aOverB: { tau: retained / b, rho: deleted / b },
    bOverA: { tau: retained / a, rho: added / a },
    examples: { deleted: change.deleted.slice(0, EXAMPLES), new: change.new.slice(0, EXAMPLES) },
  }
}

export function setView(sets: readonly SetSummary[], width: number, style: Style): string[] {
  const columns: Column<SetSummary>[] = [
    { title: 'SET', text: ({ name }) => plainText(name), paint: (text) => style.bold(text), min: 8 },
    { title: 'OF', text: ({ tokens }) => tokens ?? 'set', dropOrder: 3 },
    { title: 'TOKENS', align: 'right', text: ({ occurrences }) => (occurrences === null ? '' : count(occurrences)), dropOrder: 2 },
    { title: 'DISTINCT', align: 'right', text: ({ size }) => tokensText(size.value) },
    { title: '±', align: 'right', text: ({ size }) => tokensText(size.error) },
    { title: 'BITS', align: 'right', text: ({ bits }) => count(bits), dropOrder: 4 },
    { title: 'BYTES', align: 'right', text: (set) => bytes(set.bytes), dropOrder: 5 },
    { title: 'COLOUR', text: ({ id }) => `[${id.slice(0, 6)}]`, paint: (_, { id }) => style.block(id.slice(0, 6)), dropOrder: 6 },
    { title: 'ID', text: ({ id }) => `${id.slice(0, ID_DIGITS)}…`, dropOrder: 1 },
  ]
  return table(columns, sets, width, (head) => style.dim(head))
}

interface Row {
  readonly what: string
  readonly estimate: Estimate | undefined
  readonly exact: number | undefined
  readonly text: (value: number) => string
  readonly exactText: (value: number) => string
  readonly meaning: string
}

export function compareView({ a, b, estimates, exact }: SetCompareDocument, width: number, style: Style): string[] {
  const row = (what: string, estimate: Estimate, exact: number | undefined, meaning: string): Row => ({
    ...{ what, estimate, exact, meaning },
    text: tokensText,
    exactText: count,
  })
  const share = (what: string, estimate: Estimate | undefined, exact: number | undefined, meaning: string): Row => ({
    ...{ what, estimate, exact, meaning },
    text: fourDigits,
    exactText: fourDigits,
  })
  const rows: Row[] = [
    row('|A|', estimates.a, exact?.a, plainText(a.name)),
    row('|B|', estimates.b, exact?.b, plainText(b.name)),
    row('|A ∪ B|', estimates.union, exact?.union, 'in either'),
    row('|A ∩ B|', estimates.change.retained, exact?.change.retained, 'R, retained: in both'),
    row('|A ∖ B|', estimates.change.deleted, exact?.change.deleted, 'D, deleted: in A only'),
    row('|B ∖ A|', estimates.change.new, exact?.change.new, 'N, new: in B only'),
    row('|A △ B|', estimates.xor, exact?.xor, 'in one and not the other'),
    share('Jaccard', estimates.jaccard, exact?.jaccard, '|A ∩ B| / |A ∪ B|'),
    share('cosine', estimates.cosine, exact?.cosine, '|A ∩ B| / √(|A| |B|)'),
    share('τ A over B', estimates.aOverB?.tau, exact?.aOverB?.tau, '|A ∩ B| / |B|'),
    share('ρ A over B', estimates.aOverB?.rho, exact?.aOverB?.rho, '|A ∖ B| / |B|'),
    share('τ B over A', estimates.bOverA?.tau, exact?.bOverA?.tau, '|A ∩ B| / |A|'),
    share('ρ B over A', estimates.bOverA?.rho, exact?.bOverA?.rho, '|B ∖ A| / |A|'),
  ]
  const figure = (value: number | undefined, text: Row['text']): string => (value === undefined ? '–' : text(value))
  const columns: Column<Row>[] = [
    { title: '', text: ({ what }) => what, paint: (text) => style.bold(text) },
    { title: 'ESTIMATE', align: 'right', text: ({ estimate, text }) => figure(estimate?.value, text) },
    { title: '±', align: 'right', text: ({ estimate, text }) => figure(estimate?.error, text) },
    ...(exact === null ? [] : [{ title: 'EXACT', align: 'right', text: ({ exact, exactText }: Row) => figure(exact, exactText) } as const]),
    { title: '', text: ({ meaning }) => meaning, paint: (text) => style.dim(text), min: 8, dropOrder: 1 },
  ]
  const examples = (label: string, tokens: readonly string[] = []): string[] =>
    tokens.length === 0 ? [] : [truncate(`${label}  ${tokens.map((token) => truncate(plainText(token), EXAMPLE_COLUMNS)).join('  ')}`, width)]
  const examined = [...examples('deleted', exact?.examples.deleted), ...examples('new    ', exact?.examples.new)]
  return [...table(columns, rows, width, (head) => style.dim(head)), ...(examined.length === 0 ? [] : ['', ...examined])]
}

function fourDigits(value: number): string {
  return value.toFixed(4)
}

/** Whole tokens, or tenths below 100: `9.7`, `1,203`. */
function tokensText(value: number): string {
  return value < 100 ? value.toFixed(1) : count(Math.round(value))
}
