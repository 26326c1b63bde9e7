import { type Lineage, type LineageSpan, MAX_LINEAGE_SPANS, MAX_LINEAGE_TEXTS } from '@sgsd/wire'
import type { WindowPart } from './text-reader.ts'

/** What was learned since the last commit, as its lineage will say it. */
export class LineageDraft {
  #spans: LineageSpan[] = []
  readonly #texts = new Set<string>()

  /** Lines of a text that were learned now; those that follow the last ones lengthen their span. */
  add(text: string, parts: readonly WindowPart[]): void {
    for (const part of parts) {
      const last = this.#spans.at(-1)
      if (last?.text === text && last.segment === part.segment && last.first === part.first && last.to === part.from) {
        this.#spans[this.#spans.length - 1] = { ...last, to: part.to }
      } else {
        this.#spans.push({ text, ...part })
        this.#texts.add(text)
      }
    }
  }

  /** No room for what another call may add (one span for each of `parts` segments): time to commit. */
  isFull(parts: number): boolean {
    return this.#spans.length + parts > MAX_LINEAGE_SPANS || this.#texts.size >= MAX_LINEAGE_TEXTS
  }

  get lineage(): Lineage {
    return this.#spans
  }

  clear(): void {
    this.#spans = []
    this.#texts.clear()
  }
}
