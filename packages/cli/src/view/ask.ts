import type { AskDocument } from '@sgsd/daemon'
import { plainText, truncate } from '../text/display-width.ts'
import { bar } from '../text/figures.ts'
import type { Style } from '../text/style.ts'
import { table } from '../text/table.ts'

const BAR_COLUMNS = 12

type Nearest = AskDocument['nearest'][number]

/** An answer in lines of at most `width` columns: characters with their value and definition, then what answered. */
export function askView(answer: AskDocument, width: number, style: Style): string[] {
  const nearest = nearestTable(answer.nearest, width, style)
  const none = answer.consensus === '' ? 'none yet: this is the kernel alone' : ''
  return [
    ...nearest,
    '',
    `steps      ${answer.steps}${answer.converged ? '' : ', not converged'}, on ${plainText(answer.provider)}`,
    ...(answer.unknown.length === 0 ? [] : [truncate(`unknown    ${plainText(answer.unknown.join(' '))}`, width)]),
    `layer      ${answer.layer === '' ? 'none yet' : answer.layer}`,
    `consensus  ${none === '' ? `${style.block(answer.consensus)} ${answer.consensus}` : none}`,
  ]
}

/** Characters with their values and definitions, in lines of at most `width` columns. */
export function nearestTable(entries: readonly Nearest[], width: number, style: Style): string[] {
  const highest = Math.max(...entries.map(({ value }) => value), Number.MIN_VALUE)
  return table<Nearest>(
    [
      { title: 'CHAR', text: ({ character }) => plainText(character), paint: (text) => style.bold(text) },
      { title: 'VALUE', align: 'right', text: ({ value }) => value.toFixed(4) },
      { title: '', text: ({ value }) => bar(value / highest, BAR_COLUMNS), dropOrder: 1 },
      { title: 'DEFINITION', text: ({ definition }) => plainText(definition), min: 10 },
    ],
    entries,
    width,
    (text) => style.dim(text),
  )
}
