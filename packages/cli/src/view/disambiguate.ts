import type { RestoredOrder } from '@sgsd/lattice'
import { plainText } from '../text/display-width.ts'
import { fitLine } from '../text/line.ts'
import type { Style } from '../text/style.ts'

export interface DisambiguateResult extends RestoredOrder {
  readonly given: string
}

export interface DisambiguateDocument {
  readonly schema: 'sgsd.disambiguate/1'
  /** The text that says how characters follow one another: how much of it was read. */
  readonly corpus: { readonly name: string; readonly clauses: number; readonly characters: number }
  readonly results: readonly DisambiguateResult[]
}

/** `天地玄黃  6.1 nats, 25.3 as given` */
export function disambiguateLine({ text, nats, givenNats, exact, unseen }: DisambiguateResult, width: number, style: Style): string {
  return fitLine(
    [
      style.bold(plainText(text)),
      { text: style.dim(`${nats.toFixed(1)} nats, ${givenNats.toFixed(1)} as given`), dropOrder: 3 },
      { text: exact ? '' : style.dim('not every order weighed'), dropOrder: 2 },
      { text: unseen.length === 0 ? '' : style.yellow(`not in the corpus: ${plainText(unseen.join(' '))}`), dropOrder: 1 },
    ],
    width,
  )
}
