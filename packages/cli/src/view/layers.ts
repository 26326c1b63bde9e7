import type { LayerDocument, LayerRow, LayersDocument, LayerVerifyDocument, LearnedSpan } from '@sgsd/daemon'
import { plainText, truncate } from '../text/display-width.ts'
import { count, shortPeer } from '../text/figures.ts'
import type { Style } from '../text/style.ts'
import { type Column, table } from '../text/table.ts'
import { peerColour } from './peers.ts'

const SHORT = 12
/** Spans and blocks that a picture of one layer lists. */
const MOST_SPANS = 20

/** Layers as a table of at most `width` columns. */
export function layersView({ layers, known, more, answersFrom }: LayersDocument, width: number, style: Style): string[] {
  const lines = layers.length === 0 ? ['no layer yet  →  sgsd farm <file>'] : layerTable(layers, width, style)
  const note = more ? [style.dim(`${count(layers.length)} of ${count(known)} layers`)] : []
  return [
    ...lines,
    ...note,
    ...(answersFrom === '' ? [] : [style.yellow(`! answers come from ${answersFrom.slice(0, SHORT)}, not from the consensus`)]),
  ]
}

function layerTable(layers: readonly LayerRow[], width: number, style: Style): string[] {
  return table(layerColumns(style), layers, width, (text) => style.dim(text))
}

/** What all tables of layers show. */
export function layerColumns(style: Style): Column<LayerRow>[] {
  return [
    {
      title: 'LAYER',
      text: ({ layer }) => `[${layer.slice(0, 6)}]${layer.slice(6, SHORT)}`,
      paint: (_, { layer }) => `${style.block(layer)}${layer.slice(6, SHORT)}`,
    },
    {
      title: 'AUTHOR',
      text: ({ name, self }) => `${plainText(name)}${self ? '*' : ''}`,
      paint: (text) => style.bold(text),
      min: 6,
    },
    { title: 'COLOUR', text: ({ author }) => `[${peerColour(author)}]`, paint: (_, { author }) => style.block(peerColour(author)), dropOrder: 5 },
    { title: 'SEQ', align: 'right', text: ({ seq }) => seq },
    { title: 'RADICALS', align: 'right', text: ({ radicals }) => String(radicals), dropOrder: 4 },
    { title: 'ROWS', align: 'right', text: ({ rows }) => count(rows) },
    { title: 'EDGES', align: 'right', text: ({ nnz }) => count(nnz), dropOrder: 3 },
    { title: 'SCORE', align: 'right', text: ({ meanScore }) => meanScore.toFixed(3), dropOrder: 2 },
    { title: 'EPOCH', align: 'right', text: ({ epoch, epochsAgo }) => (epochsAgo === 0 ? epoch : `${epoch} (−${epochsAgo})`), dropOrder: 1 },
    { title: '', text: flagsOf },
  ]
}

function flagsOf({ head, inConsensus, pinned, merge, missing }: LayerRow): string {
  const flags = [head ? 'head' : '', inConsensus ? 'c' : '', pinned ? 'p' : '', merge ? 'm' : '', missing > 0 ? `${count(missing)} missing` : '']
  return flags.filter((flag) => flag !== '').join(' ')
}

/** Everything that a layer says of itself. */
export function layerView({ row, kernel, params, blocks, contributors, learned }: LayerDocument, width: number, style: Style): string[] {
  const facts: [string, string][] = [
    ['layer', `${style.block(row.layer)} ${row.layer}`],
    ['author', `${plainText(row.name)}${row.self ? ' (this node)' : ''}, ${row.author}`],
    ['seq', `${row.seq}, colour epoch ${row.epoch}${row.epochsAgo === 0 ? '' : `, ${row.epochsAgo} epochs ago`}`],
    ['is', flagsOf(row) === '' ? 'a layer of the past' : flagsOf(row)],
    ['learned', `${params.rule}, profile ${params.profile}, ${row.lines} lines so far, mean score ${row.meanScore.toFixed(3)}`],
    ['rows', `${count(row.rows)} of ${row.radicals} radicals, ${count(row.nnz)} ${params.rule === 'evidence' ? 'pairs' : 'edges'}`],
    ['parents', row.parents.length === 0 ? 'none: the first' : row.parents.join(' ')],
    ...(row.merge
      ? ([
          [
            'merge of',
            contributors === null ? 'unknown: a parent is not here' : contributors.map((each) => `${shortPeer(each.author)} ${each.seq}`).join(', '),
          ],
        ] as [string, string][])
      : []),
    ['kernel', kernel],
    ['blocks', `${blocks.length}, ${blocks.filter(({ here }) => !here).length} of them not here`],
  ]
  return [...facts.map(([label, value]) => `${label.padEnd(9)} ${value}`), '', ...learnedLines(learned, width, style)]
}

function learnedLines(learned: readonly LearnedSpan[] | null, width: number, style: Style): string[] {
  if (learned === null) return [style.dim('which lines it learned is not here')]
  if (learned.length === 0) return [style.dim('it learned nothing since its parents')]
  const spans: Column<LearnedSpan>[] = [
    { title: 'TEXT', text: ({ text }) => plainText(text), min: 12 },
    { title: 'LINES', text: ({ from, to }) => `${count(from)}–${count(to)}` },
    { title: 'SEGMENT', text: ({ segment }) => segment.slice(0, SHORT), dropOrder: 1 },
    { title: 'KEPT', text: ({ here }) => (here ? 'here' : '') },
  ]
  const rest = learned.length - MOST_SPANS
  return [...table(spans, learned.slice(0, MOST_SPANS), width, (text) => style.dim(text)), ...(rest > 0 ? [style.dim(`and ${rest} more`)] : [])]
}

/** The checks of a layer, one a line. */
export function verifyView({ layer, ok, checks }: LayerVerifyDocument, width: number, style: Style): string[] {
  const mark = { ok: style.green('✓'), failed: style.red('✗'), unknown: style.yellow('?') }
  return [
    ...checks.map(({ name, state, why }) => `${mark[state]} ${name.padEnd(8)} ${truncate(plainText(why), Math.max(20, width - 11))}`),
    ok ? style.green(`layer ${layer.slice(0, SHORT)} is good`) : style.red(`layer ${layer.slice(0, SHORT)} is not verified`),
  ]
}
