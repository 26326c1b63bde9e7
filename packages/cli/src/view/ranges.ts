import { POLARITY_NAMES, type Polarity } from '@sgsd/color'
import { plainText } from '../text/display-width.ts'
import { count, percent } from '../text/figures.ts'
import type { Style } from '../text/style.ts'
import { type Column, table } from '../text/table.ts'
import { digits, indices } from './bundle.ts'

interface HexRange {
  readonly start: string
  readonly count: string
}

export interface HostShare {
  readonly host: string
  readonly score: number
  /** In proportion to score, in order of name hash. */
  readonly capability: HexRange
  /** In proportion to score, the strongest first, polarities in turn. */
  readonly tripartite: HexRange & { readonly polarity: Polarity; readonly twistedSeed: string }
  /** Chunks of an epoch that a mesh of these members gives it. */
  readonly mesh: { readonly start: number; readonly count: number }
  /** By name hash modulo the number of hosts. */
  readonly byName: HexRange & { readonly position: number; readonly collidesWith: readonly string[] }
}

export interface RangesDocument {
  readonly schema: 'sgsd.ranges/1'
  readonly seed: string
  /** Indices at the end of the window that rounding down leaves to nobody. */
  readonly uncovered: string
  readonly meshId: string
  readonly epochChunks: number
  /** Strongest first. */
  readonly hosts: readonly HostShare[]
}

export function rangesView({ uncovered, epochChunks, hosts }: RangesDocument, width: number, style: Style): string[] {
  const title = (text: string): string => style.dim(text)
  const name: Column<HostShare> = { title: 'HOST', text: ({ host }) => plainText(host), paint: (text) => style.bold(text), min: 8 }
  const range = ({ start, count }: HexRange): string => indices({ start: BigInt(start), count: BigInt(count) })
  const total = hosts.reduce((sum, { score }) => sum + score, 0)
  const capability: Column<HostShare>[] = [
    name,
    { title: 'SCORE', align: 'right', text: ({ score }) => count(score) },
    { title: 'SHARE', align: 'right', text: ({ score }) => percent(score / total) },
    { title: 'BY CAPABILITY, INDICES', text: ({ capability }) => range(capability) },
    { title: 'MESH, CHUNKS', text: ({ mesh }) => (mesh.count === 0 ? '–' : `${count(mesh.start)} … ${count(mesh.start + mesh.count - 1)}`) },
    { title: 'SHARE', align: 'right', text: ({ mesh }) => percent(mesh.count / epochChunks) },
  ]
  const thirds: Column<HostShare>[] = [
    name,
    { title: 'POLARITY', text: ({ tripartite }) => POLARITY_NAMES[tripartite.polarity] },
    { title: 'TWISTED SEED', text: ({ tripartite }) => tripartite.twistedSeed, dropOrder: 1 },
    { title: 'TRIPARTITE, INDICES', text: ({ tripartite }) => range(tripartite) },
    {
      title: 'BY NAME',
      text: ({ byName }) => (byName.collidesWith.length === 0 ? `part ${byName.position}` : `! part ${byName.position}, collides`),
      paint: (text, { byName }) => (byName.collidesWith.length === 0 ? text : style.yellow(text)),
      dropOrder: 2,
    },
  ]
  return [
    ...table(capability, hosts, width, title),
    '',
    ...table(thirds, hosts, width, title),
    '',
    `Rounding down leaves ${digits(BigInt(uncovered))} of 4,294,967,296 indices to nobody; the mesh leaves none of its ${count(epochChunks)} chunks.`,
    'A mesh clamps a rate to 8 times the median. It needs no list: sgsd up discovers the members and mines.',
  ]
}
