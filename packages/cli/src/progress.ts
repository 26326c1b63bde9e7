import type { Terminal } from './terminal.ts'
import { truncate } from './text/display-width.ts'
import { bar, count, duration, percent } from './text/figures.ts'
import { fitLine } from './text/line.ts'

/** Milliseconds between two pictures of a bar, and between two lines where there is no terminal. */
const REDRAW_MS = 100
const LINE_MS = 5_000
const BAR_COLUMNS = 20

export interface ProgressState {
  readonly label: string
  readonly done: number
  /** Undefined where nobody knows, as of standard input: then what is done is shown, as `amount` writes it. */
  readonly total: number | undefined
  readonly amount?: (done: number) => string
  readonly elapsedMs: number
  /** How a rate is written, e.g. `1.2 G/s`; none: not shown. */
  readonly rate?: (perSecond: number) => string
}

/** `label  ██████····  61%  1.2 G/s  ETA 4s`, at most `width` columns. */
export function progressLine({ label, done, total, amount = count, elapsedMs, rate }: ProgressState, width: number, withBar: boolean): string {
  if (total === undefined) return openEnded(label, amount(done), done, elapsedMs, rate, width)
  const share = total > 0 ? Math.min(1, done / total) : 0
  const perSecond = elapsedMs > 0 ? (done / elapsedMs) * 1_000 : 0
  const eta = share >= 1 ? `in ${duration(elapsedMs)}` : perSecond > 0 ? `ETA ${duration(((total - done) / perSecond) * 1_000)}` : ''
  return fitLine(
    [
      truncate(label, Math.max(8, Math.floor(width / 2))),
      { text: withBar ? bar(share, BAR_COLUMNS) : '', dropOrder: 3 },
      percent(share).padStart(4),
      { text: rate === undefined || perSecond === 0 ? '' : rate(perSecond), dropOrder: 2 },
      { text: eta, dropOrder: 1 },
    ],
    width,
  )
}

/** `label  1.2 GiB  80.1 MiB/s  15s` */
function openEnded(label: string, amount: string, done: number, elapsedMs: number, rate: ProgressState['rate'], width: number): string {
  const perSecond = elapsedMs > 0 ? (done / elapsedMs) * 1_000 : 0
  return fitLine(
    [
      truncate(label, Math.max(8, Math.floor(width / 2))),
      amount,
      { text: rate === undefined || perSecond === 0 ? '' : rate(perSecond), dropOrder: 2 },
      { text: duration(elapsedMs), dropOrder: 1 },
    ],
    width,
  )
}

export interface Progress {
  update(done: number): void
  /** Writes the last state and leaves the line. */
  end(): void
}

/** Shows long work on stderr: a bar on a terminal, a line every few seconds elsewhere. */
export function openProgress(
  terminal: Terminal,
  label: string,
  total: number | undefined,
  rate?: (perSecond: number) => string,
  amount?: (done: number) => string,
): Progress {
  const started = performance.now()
  let done = 0
  let shownAt = started
  const line = (withBar: boolean, width: number): string =>
    progressLine(
      {
        label,
        done,
        total,
        elapsedMs: performance.now() - started,
        ...(rate === undefined ? {} : { rate }),
        ...(amount === undefined ? {} : { amount }),
      },
      width,
      withBar,
    )
  const show = (): void => {
    shownAt = performance.now()
    if (terminal.errLive) terminal.writeErr(`\r${line(true, terminal.columns() - 1)}\u001B[K`)
    else terminal.note(line(false, terminal.columns()))
  }
  return {
    update: (now) => {
      done = now
      if (performance.now() - shownAt >= (terminal.errLive ? REDRAW_MS : LINE_MS)) show()
    },
    end: () => {
      if (terminal.errLive) {
        show()
        terminal.writeErr('\n')
      }
    },
  }
}
