import type { FarmLedger } from '../farm/ledger.ts'
import { decode } from '../farm/cut.ts'
import { linesOf } from '../farm/lines.ts'
import type { SegmentBlocks } from '../farm/segment-blocks.ts'
import type { LineageSpan } from '@sgsd/wire'
import type { BlamedLine } from './documents.ts'

/** How far apart two lines may lie that are counted together. docs/protocol.md §8.8 */
const REACH = 4

/** Lines of texts that this node keeps. */
export interface KeptTexts {
  readonly ledger: Pick<FarmLedger, 'segmentsOf'>
  readonly segments: Pick<SegmentBlocks, 'get'>
}

/** Finds lines in the segments that are kept here; those of other members' texts are nowhere to be found. */
export class LineSearch {
  readonly #texts: KeptTexts
  #open: { readonly digest: string; readonly lines: readonly string[] } | undefined

  constructor(texts: KeptTexts) {
    this.#texts = texts
  }

  /** Whether a segment's bytes are kept. */
  has(segment: string): boolean {
    return this.#texts.ledger.segmentsOf(segment).some(({ segment: { block } }) => block !== '')
  }

  /**
   * Lines of a span with the character `row` that stand at most four lines behind one with `column` in the same document, or have both.
   * @param most - lines found, at most
   */
  async pairs(span: LineageSpan, row: string, column: string, most: number): Promise<readonly BlamedLine[]> {
    const lines = await this.#lines(span.segment)
    const found: BlamedLine[] = []
    for (let at = span.from - span.first; lines !== undefined && at < Math.min(span.to - span.first, lines.length - 1) + 1; at++) {
      // the line behind the last one learned is its successor: it was counted with it
      const content = lines[at]
      if (content === undefined || !content.includes(row)) continue
      const back = backTo(lines, at, column)
      if (back === undefined) continue
      const lineOf = (index: number): number => span.first + index + 1
      const before = back === at ? null : { line: lineOf(back), content: lines[back]! }
      found.push({ text: span.text, line: lineOf(at), content, before })
      if (found.length >= most) break
    }
    return found
  }

  async #lines(digest: string): Promise<readonly string[] | undefined> {
    if (this.#open?.digest === digest) return this.#open.lines
    for (const { segment, joins } of this.#texts.ledger.segmentsOf(digest)) {
      if (segment.block === '') continue
      const bytes = await this.#texts.segments.get(segment.block).catch(() => undefined)
      if (bytes === undefined) continue
      this.#open = { digest, lines: linesOf(decode(bytes), joins) }
      return this.#open.lines
    }
    return undefined
  }
}

/** The nearest line with a character, at most four before `at` and in the same document; else `at` itself if it has it. */
function backTo(lines: readonly string[], at: number, column: string): number | undefined {
  for (let back = at - 1; back >= Math.max(0, at - REACH) && lines[back] !== ''; back--) if (lines[back]!.includes(column)) return back
  return lines[at]!.includes(column) ? at : undefined
}
