import type { FoldId } from '@sgsd/consensus'
import type { HistoryCompute } from './port.ts'

/** What the history worker answers, one call after the other. */
export type HistoryCalls = Omit<HistoryCompute, 'close' | typeof Symbol.asyncDispose>

export interface HistoryWorkerData {
  readonly foldId: FoldId
  readonly stop: Int32Array
}
