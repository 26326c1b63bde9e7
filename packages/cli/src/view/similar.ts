import type { SimilarDocument } from '@sgsd/daemon'
import { plainText, truncate } from '../text/display-width.ts'
import type { Style } from '../text/style.ts'
import { type Column, table } from '../text/table.ts'

const TEXT_COLUMNS = 24
/** Pairs are told one a line where the table of all would be wider than this many texts. */
const MOST_COLUMNS = 8

/** Cosines of texts: of two one figure, of up to eight a table, of more all pairs, the nearest first; then what compared them. */
export function similarView({ texts, cosines, model }: SimilarDocument, width: number, style: Style): string[] {
  const body =
    texts.length === 2
      ? [figure(cosines[0]![1]!)]
      : texts.length <= MOST_COLUMNS
        ? square(texts, cosines, width, style)
        : pairs(texts, cosines, width, style)
  return [...body, '', truncate(`model  ${model}`, width)]
}

function square(texts: readonly string[], cosines: SimilarDocument['cosines'], width: number, style: Style): string[] {
  const columns: Column<number>[] = [
    { title: '', text: (i) => String(i + 1), align: 'right' },
    { title: 'TEXT', text: (i) => truncate(plainText(texts[i]!), TEXT_COLUMNS), min: 4 },
    ...texts.map((_, j): Column<number> => ({ title: String(j + 1), align: 'right', text: (i) => figure(cosines[i]![j]!) })),
  ]
  return table(columns, [...texts.keys()], width, (head) => style.dim(head))
}

interface Pair {
  readonly a: string
  readonly b: string
  readonly cosine: number
}

function pairs(texts: readonly string[], cosines: SimilarDocument['cosines'], width: number, style: Style): string[] {
  const all = texts.flatMap((a, i) => texts.slice(i + 1).map((b, j): Pair => ({ a, b, cosine: cosines[i]![i + 1 + j]! })))
  all.sort((x, y) => y.cosine - x.cosine)
  return table<Pair>(
    [
      { title: 'COSINE', align: 'right', text: ({ cosine }) => figure(cosine) },
      { title: 'TEXT', text: ({ a }) => truncate(plainText(a), TEXT_COLUMNS), min: 4 },
      { title: 'TEXT', text: ({ b }) => truncate(plainText(b), TEXT_COLUMNS), min: 4 },
    ],
    all,
    width,
    (head) => style.dim(head),
  )
}

function figure(cosine: number): string {
  return cosine.toFixed(3)
}
