import type { FarmDocument } from '@sgsd/daemon'
import { plainText, truncate } from '../text/display-width.ts'
import { bytes, count, duration, percent } from '../text/figures.ts'
import type { Style } from '../text/style.ts'
import { type Column, table } from '../text/table.ts'

type Text = FarmDocument['texts'][number]

/** Farming in detail: what is done, what is left, what holds it up, and the texts. */
export function farmView(farm: FarmDocument, width: number, style: Style): string[] {
  const rate = farm.state === 'farming' && farm.linesPerSecond > 0 ? `, ${count(farm.linesPerSecond)} lines/s` : ''
  const eta = farm.etaMs === null ? '' : `, ETA ${duration(farm.etaMs)}`
  const retry = farm.retryMs === null ? '' : `, asked again in ${duration(farm.retryMs)}`
  return [
    `${farm.state}  ${count(farm.lines)} of ${count(farm.total)} lines${rate}${eta}`,
    `host   ${plainText(farm.host)}, mean score ${farm.meanScore.toFixed(3)}, ${count(farm.layers)} layers${retry}`,
    ...(farm.why === '' ? [] : [style.yellow(truncate(`!      ${plainText(farm.why)}`, width))]),
    ...folderLines(farm.dir, width, style),
    ...(farm.texts.length === 0 ? [] : table(columns(style), farm.texts, width, (text) => style.dim(text))),
  ]
}

function folderLines(dir: FarmDocument['dir'], width: number, style: Style): string[] {
  if (dir === null) return []
  const waiting = dir.waiting > 0 ? `, ${count(dir.waiting)} to take` : ''
  return [
    `folder ${plainText(dir.path)}: ${count(dir.files)} text files${waiting}`,
    ...dir.errors.map(({ message, hint }) =>
      style.yellow(truncate(`!      ${plainText(message)}${hint === '' ? '' : `  →  ${plainText(hint)}`}`, width)),
    ),
  ]
}

function columns(style: Style): Column<Text>[] {
  const held = ({ state }: Text): boolean => state === 'broken off' || state === 'unreadable'
  return [
    { title: 'TEXT', text: ({ name }) => plainText(name), paint: (text) => style.bold(text), min: 12 },
    { title: 'STATE', text: ({ state }) => state, paint: (text, row) => (held(row) ? style.yellow(text) : text) },
    { title: 'LINES', align: 'right', text: ({ lines }) => count(lines) },
    { title: 'FARMED', align: 'right', text: ({ lines, farmed }) => (lines === 0 ? '' : percent(farmed / lines)) },
    { title: 'UNKNOWN', align: 'right', text: ({ unknown }) => (unknown === 0 ? '' : count(unknown)), dropOrder: 1 },
    { title: 'SIZE', align: 'right', text: (row) => bytes(row.bytes), dropOrder: 2 },
    { title: 'SHARED', text: ({ shared }) => (shared ? 'yes' : ''), dropOrder: 3 },
  ]
}
