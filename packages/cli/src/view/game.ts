import { type CycleSearch, type Furthest, hex64, type NearFixedPoint } from '@sgsd/color'
import { count } from '../text/figures.ts'
import type { Style } from '../text/style.ts'
import { type Column, table } from '../text/table.ts'
import { digits } from './bundle.ts'

/** One find of a search, as programs read it. */
export interface FindDocument {
  readonly index: string
  readonly colour: string
  readonly distance: number
}

export function findDocument({ index, colour, distance }: Furthest | NearFixedPoint): FindDocument {
  return { index: hex64(index), colour: hex64(colour), distance }
}

export function findsView(finds: readonly FindDocument[], width: number, style: Style): string[] {
  const columns: Column<FindDocument>[] = [
    { title: 'COLOUR', text: ({ colour }) => `[${colour.slice(-6)}]`, paint: (_, { colour }) => style.block(colour.slice(-6)) },
    { title: 'VALUE', text: ({ colour }) => colour },
    { title: 'INDEX', align: 'right', text: ({ index }) => digits(BigInt(index)) },
    { title: 'BITS OFF', align: 'right', text: ({ distance }) => String(distance) },
  ]
  return table(columns, finds, width, (head) => style.dim(head))
}

export interface CycleDocument {
  readonly start: string
  readonly found: boolean
  /** Of a search that found one. */
  readonly tail: number | null
  readonly length: number | null
  readonly entry: string | null
  /** Of one that did not: steps taken, and where it stood. */
  readonly steps: number | null
  readonly last: string | null
}

export function cycleDocument(start: bigint, search: CycleSearch): CycleDocument {
  if (!search.found)
    return { start: hex64(start), found: false, tail: null, length: null, entry: null, steps: search.steps, last: hex64(search.last) }
  const { tail, length, entry } = search.cycle
  return { start: hex64(start), found: true, tail, length, entry: hex64(entry), steps: null, last: null }
}

export function cyclesView(cycles: readonly CycleDocument[], terminalWidth: number, width: number, style: Style): string[] {
  const columns: Column<CycleDocument>[] = [
    { title: 'START', text: ({ start }) => start },
    { title: 'TAIL', align: 'right', text: ({ tail }) => (tail === null ? '–' : count(tail)) },
    { title: 'CYCLE', align: 'right', text: ({ length }) => (length === null ? '–' : count(length)) },
    { title: 'COLOUR', text: (row) => `[${whereOf(row).slice(-6)}]`, paint: (_, row) => style.block(whereOf(row).slice(-6)) },
    { title: 'ENTERED AT', text: (row) => (row.found ? whereOf(row) : `none in ${count(row.steps ?? 0)} steps, at ${whereOf(row)}`), min: 20 },
  ]
  const why =
    width === 64
      ? 'mix is a bijection: a chain has no tail and can only return to its start, about 2^63 steps away for most. Cut to fewer bits (--width) it is no bijection, and cycles are short.'
      : `Cut to ${width} bits, mix is no bijection: a walk meets itself after about 2^${(width / 2).toFixed(1).replace(/\.0$/, '')} steps, in a tail and a cycle.`
  return [...table(columns, cycles, terminalWidth, (head) => style.dim(head)), style.dim(why)]
}

function whereOf({ entry, last }: CycleDocument): string {
  return entry ?? last ?? ''
}
