import type { StoreGcDocument, StoreScrubDocument, StoreUsageDocument } from '@sgsd/daemon'
import { bytes, count, duration, percent } from '../text/figures.ts'
import type { Style } from '../text/style.ts'
import { type Column, table } from '../text/table.ts'

type Kind = StoreUsageDocument['kinds'][number]

const NAMES: Readonly<Record<Kind['kind'], string>> = {
  manifest: 'manifests',
  rows: 'rows',
  state: 'states',
  lineage: 'lineage',
  corpus: 'texts',
  leaves: 'leaves',
  unreferenced: 'unreferenced',
}
/** Damaged blocks that are named one by one. */
const MAX_LISTED = 20
/** Files beside the blocks that are named one by one. */
const MAX_FILES = 4

/** A table by kind, then layers, other files, and what is free. */
export function usageView(usage: StoreUsageDocument, width: number, style: Style): string[] {
  const { total, layers, files, missing, freeBytes } = usage
  const sharing = layers.unsharedBytes > layers.bytes ? `, sharing saves ${percent(1 - layers.bytes / layers.unsharedBytes)}` : ''
  const rest = files.slice(0, MAX_FILES).map(({ name, bytes: size }) => `${name} ${bytes(size)}`)
  const small = files.slice(MAX_FILES).reduce((sum, { bytes: size }) => sum + size, 0)
  if (small > 0) rest.push(`the rest ${bytes(small)}`)
  return [
    ...table(columns(total.bytes, style), usage.kinds, width, (text) => style.dim(text)),
    `blocks ${count(total.blocks)}, ${bytes(total.bytes)}; ${bytes(freeBytes)} free`,
    `layers ${count(layers.known)} known, ${count(layers.whole)} of them whole, ${count(layers.pinned)} pinned${sharing}`,
    ...(rest.length === 0 ? [] : [`besides ${rest.join(', ')}`]),
    ...(missing === 0 ? [] : [style.yellow(`!      ${count(missing)} blocks of kept layers are not here; a running daemon fetches them`)]),
  ]
}

function columns(total: number, style: Style): Column<Kind>[] {
  const size = (value: number): string => (value === 0 ? '' : bytes(value))
  return [
    { title: 'KIND', text: ({ kind }) => NAMES[kind], paint: (text) => style.bold(text) },
    { title: 'BLOCKS', align: 'right', text: ({ blocks }) => count(blocks) },
    { title: 'SIZE', align: 'right', text: (row) => bytes(row.bytes) },
    { title: 'SHARE', align: 'right', text: (row) => percent(row.bytes / Math.max(1, total)), dropOrder: 1 },
    { title: 'OWN', align: 'right', text: ({ ownBytes }) => size(ownBytes), dropOrder: 2 },
    { title: 'OTHERS', align: 'right', text: ({ othersBytes }) => size(othersBytes), dropOrder: 2 },
    { title: 'BOTH', align: 'right', text: ({ sharedBytes }) => size(sharedBytes), dropOrder: 2 },
  ]
}

export function gcView({ dryRun, freed, spared, kept, graceMs, freeBytes, ms }: StoreGcDocument): string[] {
  const done = dryRun ? 'would be deleted' : 'deleted'
  return [
    `${count(freed.blocks)} blocks ${done}, ${bytes(freed.bytes)}; ${count(kept.blocks)} kept, ${bytes(kept.bytes)} (${duration(ms)})`,
    ...(spared.blocks === 0 ? [] : [`${count(spared.blocks)} spared, ${bytes(spared.bytes)}: younger than ${duration(graceMs)}, or in use`]),
    `${bytes(freeBytes)} free`,
  ]
}

export function scrubView({ checked, bytes: read, ms, damaged, missing, by }: StoreScrubDocument, width: number, style: Style): string[] {
  const rate = ms > 0 ? `, ${bytes((1_000 * read) / ms)}/s` : ''
  const lines = [`${count(checked)} blocks read, ${bytes(read)} in ${duration(ms)}${rate}`]
  if (damaged.length === 0) lines.push('none is damaged')
  else lines.push(style.yellow(`${count(damaged.length)} damaged and set aside in quarantine/: ${tally(damaged)}`))
  if (damaged.length > 0) lines.push(...table(DAMAGED, damaged.slice(0, MAX_LISTED), width, (text) => style.dim(text)))
  if (damaged.length > MAX_LISTED) lines.push(`and ${count(damaged.length - MAX_LISTED)} more: --json names them all`)
  if (missing.blocks > 0) {
    const came = by === 'command' ? 'a running daemon fetches them' : `${count(missing.fetched)} of them fetched`
    lines.push(style.yellow(`${count(missing.blocks)} blocks of kept layers were not here; ${came}`))
  }
  return lines
}

/** `98 fetched, 2 lost`. */
function tally(damaged: StoreScrubDocument['damaged']): string {
  const counts = new Map<string, number>()
  for (const { repair } of damaged) counts.set(repair, (counts.get(repair) ?? 0) + 1)
  return [...counts].map(([repair, blocks]) => `${count(blocks)} ${repair === 'later' ? 'to be fetched by a running daemon' : repair}`).join(', ')
}

const DAMAGED: Column<StoreScrubDocument['damaged'][number]>[] = [
  { title: 'BLOCK', text: ({ id }) => id, min: 16 },
  { title: 'KIND', text: ({ kind }) => NAMES[kind] },
  { title: 'REPAIR', text: ({ repair }) => repair },
]
