import type { LayerDiffDocument } from '@sgsd/daemon'
import { count } from '../text/figures.ts'
import type { Style } from '../text/style.ts'
import { type Column, table } from '../text/table.ts'

type Radical = LayerDiffDocument['radicals'][number]
type Change = LayerDiffDocument['top'][number]

/** Counts are in units of 1/256 observation. */
const UNIT = 256
const SHORT = 12
/** Radicals that a picture lists. */
const MOST_RADICALS = 20

/** What stands otherwise in b. */
export function diffView(diff: LayerDiffDocument, width: number, style: Style): string[] {
  const { a, b, commonAncestors, radicals, same, rows, edges, top } = diff
  const things = diff.rule === 'evidence' ? 'pairs' : 'edges'
  const ordered = radicals.toSorted((x, y) => total(y.edges) - total(x.edges) || x.radical - y.radical)
  const rest = ordered.length - MOST_RADICALS
  return [
    `a ${style.block(a.layer)}${a.layer.slice(6, SHORT)}  ${a.name}, seq ${a.seq}`,
    `b ${style.block(b.layer)}${b.layer.slice(6, SHORT)}  ${b.name}, seq ${b.seq}`,
    commonAncestors.length === 0 ? 'no common ancestor is known' : `common ancestor ${commonAncestors.map((each) => each.slice(0, SHORT)).join(' ')}`,
    '',
    ...(radicals.length === 0
      ? ['the same rows']
      : [
          `${count(radicals.length)} radicals differ, ${count(same)} are the same blocks`,
          `rows   ${changes(rows)}`,
          `${things.padEnd(6)} ${changes(edges)}`,
          '',
          ...table(radicalColumns(things), ordered.slice(0, MOST_RADICALS), width, (text) => style.dim(text)),
          ...(rest > 0 ? [style.dim(`and ${count(rest)} more radicals`)] : []),
        ]),
    ...(top.length === 0 ? [] : ['', ...table(changeColumns(), top, width, (text) => style.dim(text))]),
  ]
}

function total({ added, removed, changed }: Radical['edges']): number {
  return added + removed + changed
}

function changes({ added, removed, changed }: Radical['edges']): string {
  return `${count(added)} added, ${count(removed)} removed, ${count(changed)} changed`
}

function radicalColumns(things: string): Column<Radical>[] {
  return [
    { title: 'RADICAL', text: ({ radical }) => `${String.fromCodePoint(0x2eff + radical)} ${radical}` },
    { title: 'ROWS +', align: 'right', text: ({ rows }) => count(rows.added) },
    { title: '−', align: 'right', text: ({ rows }) => count(rows.removed) },
    { title: '~', align: 'right', text: ({ rows }) => count(rows.changed) },
    { title: `${things.toUpperCase()} +`, align: 'right', text: ({ edges }) => count(edges.added) },
    { title: '−', align: 'right', text: ({ edges }) => count(edges.removed) },
    { title: '~', align: 'right', text: ({ edges }) => count(edges.changed) },
  ]
}

function changeColumns(): Column<Change>[] {
  const value = (change: Change, of: number): string => (change.matrix === 'count' ? (of / UNIT).toFixed(2) : of.toFixed(4))
  return [
    { title: 'EDGE', text: ({ rowCharacter, columnCharacter }) => `${columnCharacter} → ${rowCharacter}` },
    { title: 'OF', text: ({ matrix }) => (matrix === 'tau' ? 'Wτ' : matrix === 'rho' ? 'Wρ' : 'counts') },
    { title: 'A', align: 'right', text: (change) => value(change, change.before) },
    { title: 'B', align: 'right', text: (change) => value(change, change.after) },
  ]
}
