import { CONTEXT_LINES } from '@sgsd/lattice'
import type { Logger } from 'pino'
import type { EventBus } from '../event-bus.ts'
import type { FarmLedger } from './ledger.ts'
import type { SegmentBlocks } from './segment-blocks.ts'

interface FinishParts {
  readonly ledger: FarmLedger
  readonly segments: SegmentBlocks
  readonly events: EventBus
  readonly log: Logger
}

/** After a commit: tells of texts that taught nothing, and lets go of segments that are not kept. @param ids - texts that the commit is about */
export async function finishTexts({ ledger, segments, events, log }: FinishParts, ids: Iterable<number>, keepText: boolean): Promise<void> {
  for (const id of ids) {
    const text = ledger.text(id)
    if (text === undefined) continue
    if (text.whole && text.next === text.lines && text.unknown > 0 && text.graded === 0) {
      const message = `${text.name} taught nothing: the lattice knows no character of ${text.unknown} of its ${text.lines} lines`
      events.emit({ event: 'warning', message })
      log.warn({ text: text.name, lines: text.lines }, 'a text without known characters')
    }
    if (keepText) continue
    for (const { block, first } of ledger.spent(id, CONTEXT_LINES)) {
      if (block === '') continue
      await segments.delete(block)
      ledger.moved(id, first, '')
    }
  }
}
