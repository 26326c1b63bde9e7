import type { LayerLogDocument, LayerRow } from '@sgsd/daemon'
import type { Style } from '../text/style.ts'
import { table } from '../text/table.ts'
import { type GraphLine, graphLines } from './layer-graph.ts'
import { layerColumns } from './layers.ts'

const SHORT = 12

/** Layers, each before its parents; with `graph` the lines of descent stand to the left. */
export function layerLog({ layers, unknown, more }: LayerLogDocument, graph: boolean, width: number, style: Style): string[] {
  if (layers.length === 0) return ['no layer yet  →  sgsd farm <file>']
  const lost = new Set(unknown)
  const drawn: readonly GraphLine[] = graph ? graphLines(layers, lost) : layers.map(({ layer }) => ({ text: '', layer }))
  const room = drawn.reduce((most, { text }) => Math.max(most, text.length), 0)
  const rows = table(layerColumns(style), layers, Math.max(40, width - room - (room > 0 ? 1 : 0)), (text) => style.dim(text))
  const byLayer = new Map(layers.map(({ layer }, i) => [layer, rows[i + 1]!]))
  const margin = (text: string): string => (room > 0 ? `${text.padEnd(room)} ` : '')
  return [
    `${margin('')}${rows[0]!}`,
    ...drawn.map(({ text, layer }) => `${margin(text)}${layer === undefined ? '' : byLayer.get(layer)!}`.trimEnd()),
    ...unknownLines(layers, lost, style),
    ...(more ? [style.dim('older layers are not shown  →  sgsd layer log -n <count>')] : []),
  ]
}

function unknownLines(layers: readonly LayerRow[], lost: ReadonlySet<string>, style: Style): string[] {
  return layers.flatMap(({ layer, parents }) =>
    parents
      .filter((parent) => lost.has(parent))
      .map((parent) => style.dim(`parent ${parent.slice(0, SHORT)} of ${layer.slice(0, SHORT)} is unknown here`)),
  )
}
