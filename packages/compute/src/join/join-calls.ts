import type { JoinPiece } from './join-run.ts'
import type { IdSets, JoinEngineName, JoinEngineReport, PairGate } from './port.ts'

/** What the join worker answers. It does one join at a time. */
export interface JoinCalls {
  /** Loads and checks the engines. @throws ComputeError NO_ENGINE */
  open(only: JoinEngineName | undefined): { readonly engine: JoinEngineName; readonly engines: readonly JoinEngineReport[] }
  /** Plans a join. @returns distinct ids of each set */
  begin(sets: IdSets, gate: PairGate): Uint32Array
  /** The next pairs of the join that was begun, and how many rows are done now; undefined when all are. */
  next(): { readonly piece: JoinPiece; readonly done: number } | undefined
  /** Lets go of the join. */
  end(): void
}
