import type { BlameDocument } from '@sgsd/daemon'
import { plainText, truncate } from '../text/display-width.ts'
import { count } from '../text/figures.ts'
import type { Style } from '../text/style.ts'
import { peerColour } from './peers.ts'

type Member = BlameDocument['members'][number]
type Layer = Member['layers'][number]

const UNIT = 256
const SHORT = 12
/** Layers of a member, and spans and lines of a layer, that a picture lists. */
const MOST_LAYERS = 8
const MOST_SPANS = 4

/** Where an edge comes from. */
export function blameView({ row, column, consensus, rule, edges, members }: BlameDocument, width: number, style: Style): string[] {
  const ground = consensus === '' ? 'there is no consensus yet: the kernel alone' : `consensus ${consensus.slice(0, SHORT)}`
  if (column === null) {
    const shown = edges.map(({ character, tau, rho }) => `${character} → ${row.character}  ${weights(tau, rho)}`)
    return [style.bold(`${row.character}  row ${row.row}`), style.dim(ground), ...(shown.length === 0 ? ['no edges'] : shown)]
  }
  const [{ tau, rho } = { tau: 0, rho: 0 }] = edges
  return [
    style.bold(`${column.character} → ${row.character}  ${weights(tau, rho)}`),
    style.dim(ground),
    ...(members.length === 0
      ? ['no member says anything of it: what there is comes from the kernel']
      : members.flatMap((member) => memberLines(member, rule, width, style))),
  ]
}

function weights(tau: number, rho: number): string {
  return tau === 0 && rho === 0
    ? 'no edge'
    : [tau === 0 ? '' : `Wτ ${tau.toFixed(4)}`, rho === 0 ? '' : `Wρ ${rho.toFixed(4)}`].filter((text) => text !== '').join(', ')
}

function memberLines(member: Member, rule: string, width: number, style: Style): string[] {
  const { peer, name, self, count: seen, backward, tau, rho, layers, ends } = member
  const says = rule === 'evidence' ? `${observed(seen)} observations, ${observed(backward)} the other way round` : weights(tau, rho)
  const rest = layers.length - MOST_LAYERS
  return [
    '',
    `${style.block(peerColour(peer))} ${style.bold(`${plainText(name)}${self ? '*' : ''}`)}  ${says}`,
    ...layers.slice(0, MOST_LAYERS).flatMap((layer) => layerLines(layer, rule, width, style)),
    ...(rest > 0 ? [style.dim(`  and ${count(rest)} layers more`)] : []),
    ...(ends === '' ? [] : [style.dim(truncate(`  ${ends}`, width))]),
  ]
}

function layerLines({ layer, seq, before, after, how, spans, lines }: Layer, rule: string, width: number, style: Style): string[] {
  const value = (of: number | null): string => (of === null ? '?' : rule === 'evidence' ? observed(of) : of.toFixed(4))
  const change = how === 'blocks' ? `${value(before)} → ${value(after)}` : 'its rows are no longer kept; by its lineage'
  return [
    `  ${style.block(layer)}${layer.slice(6, SHORT)}  seq ${seq}  ${change}`,
    ...lines.map(({ text, line, content, before: first }) =>
      truncate(
        `    ${plainText(text)}:${line}  ${first === null ? '' : `${plainText(first.content)} (${first.line}) → `}${plainText(content)}`,
        width,
      ),
    ),
    ...(lines.length > 0
      ? []
      : spans.slice(0, MOST_SPANS).map(({ text, from, to, segment, here }) => {
          const where = here ? 'the pair stands in none of these lines alone' : `segment ${segment.slice(0, SHORT)}, not here`
          return style.dim(truncate(`    ${plainText(text)}:${from}–${to}  ${where}`, width))
        })),
  ]
}

function observed(of: number): string {
  return (of / UNIT).toFixed(2).replace(/\.?0+$/, '')
}
