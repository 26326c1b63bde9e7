import { CONTEXT_LINES } from '@sgsd/lattice'
import { DaemonError } from '../daemon-error.ts'
import { decode } from './cut.ts'
import type { FarmLedger, LedgerText } from './ledger.ts'
import { linesOf } from './lines.ts'
import type { SegmentBlocks } from './segment-blocks.ts'

/** Lines of one segment within a window. */
export interface WindowPart {
  readonly segment: string
  readonly first: number
  readonly from: number
  readonly to: number
}

/** Consecutive lines of a text. */
export interface LineWindow {
  /** The lines just before, at most `CONTEXT_LINES` of them: what the first ones may have to do with. */
  readonly context: readonly string[]
  readonly lines: readonly string[]
  /** The line behind the last one, or undefined at the text's end. */
  readonly successor: string | undefined
  readonly parts: readonly WindowPart[]
}

interface OpenSegment {
  readonly text: number
  readonly digest: string
  readonly first: number
  readonly lines: readonly string[]
}

/** Segments held: a window may reach from one into the next. */
const HELD = 2

/** Reads lines out of segments, two of them in memory at a time. */
export class TextReader {
  readonly #ledger: FarmLedger
  readonly #segments: SegmentBlocks
  #open: readonly OpenSegment[] = []

  constructor(ledger: FarmLedger, segments: SegmentBlocks) {
    this.#ledger = ledger
    this.#segments = segments
  }

  /**
   * @param from - below `text.ready`. @param most - lines, at most
   * @throws DaemonError TEXT_LOST when the bytes of a segment are not on disk any more
   */
  async window(text: LedgerText, from: number, most: number): Promise<LineWindow> {
    const end = Math.min(text.ready, from + most)
    const context = await this.#lines(text, Math.max(0, from - CONTEXT_LINES), from)
    const { lines, parts } = await this.#lines(text, from, end)
    const successor = end < text.lines ? (await this.#lines(text, end, end + 1)).lines[0] : undefined
    return { context: context.lines, lines, successor, parts }
  }

  async #lines(text: LedgerText, from: number, end: number): Promise<Pick<LineWindow, 'lines' | 'parts'>> {
    const lines: string[] = []
    const parts: WindowPart[] = []
    for (let at = from; at < end;) {
      const { first, digest, lines: here } = await this.#segment(text, at)
      const to = Math.min(end, first + here.length)
      for (let line = at; line < to; line++) lines.push(here[line - first]!)
      parts.push({ segment: digest, first, from: at, to })
      at = to
    }
    return { lines, parts }
  }

  /** The segment that holds a line. */
  async #segment(text: LedgerText, line: number): Promise<OpenSegment> {
    const found = this.#ledger.segmentAt(text.id, line)
    const open = this.#open.find((held) => held.text === text.id && held.digest === found?.segment.digest && held.first === found.segment.first)
    if (open !== undefined) return open
    const bytes = found === undefined || found.segment.block === '' ? undefined : await this.#segments.get(found.segment.block)
    if (found === undefined || bytes === undefined) {
      throw new DaemonError('TEXT_LOST', `${text.name} is not on disk any more from line ${line + 1} on`, 'give it again: it goes on there')
    }
    const { digest, first } = found.segment
    const opened = { text: text.id, digest, first, lines: linesOf(decode(bytes), found.joins) }
    this.#open = [...this.#open, opened].slice(-HELD)
    return opened
  }
}
