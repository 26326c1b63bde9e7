import { displayWidth } from './display-width.ts'

/** A piece of a one-line summary. */
export interface Piece {
  readonly text: string
  /** Left out first when the line is too long: highest number first; 0 or none: never. */
  readonly dropOrder?: number
}

/** Joins pieces by `gap`, leaving out the least important until at most `width` columns remain. */
export function fitLine(pieces: readonly (Piece | string)[], width: number, gap = '  '): string {
  let kept = pieces.map((piece) => (typeof piece === 'string' ? { text: piece } : piece)).filter((piece) => piece.text !== '')
  const joined = (): string => kept.map((piece) => piece.text).join(gap)
  while (displayWidth(joined()) > width) {
    const worst = kept.reduce((found, piece) => Math.max(found, piece.dropOrder ?? 0), 0)
    if (worst === 0) break
    kept = kept.filter((piece) => piece.dropOrder !== worst)
  }
  return joined()
}
