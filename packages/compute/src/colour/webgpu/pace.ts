/** How long a dispatch should take, ms: a desktop shares the GPU between dispatches, and 50 ms is where it starts to stutter. */
export const DISPATCH_MS = 8

/** Colours of the first dispatch, before anything is known: a few ms on a software adapter, nothing on a GPU. */
const FIRST_COLOURS = 2 ** 18

/** Fewest and most colours of a dispatch: a workgroup full of lanes with something to do; what the buffers have room for. */
const LEAST_COLOURS = 2 ** 14
export const MOST_COLOURS: number = 2 ** 35

/** Share of the budget that a dispatch must use for its time to say something about speed. */
const TELLING_SHARE = 0.5

/** How large a dispatch may be, learned from how long those before took: slows down at once, speeds up by doubling. */
export class Pace {
  #budget = FIRST_COLOURS

  /** Colours of the next dispatch, at most. */
  get budget(): number {
    return this.#budget
  }

  /** How long so many colours take, ms, as far as known. */
  expectedMs(colours: number): number {
    return (colours / this.#budget) * DISPATCH_MS
  }

  /** A dispatch of so many colours took that long. */
  observe(colours: number, ms: number): void {
    if (colours < TELLING_SHARE * this.#budget) return
    const fitting = Math.floor((colours * DISPATCH_MS) / ms)
    this.#budget = Math.max(LEAST_COLOURS, Math.min(fitting, 2 * this.#budget, MOST_COLOURS))
  }
}
