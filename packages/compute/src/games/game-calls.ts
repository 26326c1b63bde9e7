import type { ChainResult, CycleSearch, CycleWalk, Furthest, NearFixedPoint, StrategyPart } from '@sgsd/color'
import type { Simulation, SimulationReport } from '@sgsd/consensus'

/** What the game worker does: a piece of a game a call, but for a simulation, which is whole. */
export interface GameCalls {
  readonly furthest: (seed: bigint, start: bigint, count: bigint, reference: string) => Furthest | undefined
  readonly nearFixedPoints: (seed: bigint, start: bigint, count: bigint, top: number) => readonly NearFixedPoint[]
  readonly walkCycle: (walk: CycleWalk, steps: number) => CycleWalk | CycleSearch
  readonly chain: (first: bigint, length: number) => ChainResult
  readonly partXor: (part: StrategyPart) => bigint
  readonly simulate: (simulation: Simulation) => SimulationReport
}

/** Given to a worker: where a simulation notes its stage (place in `STAGES`) and the share of it that is done. */
export interface GameWorkerData {
  readonly progress: Float64Array
  /** Cell 0 becomes 1 when the worker should stop. */
  readonly stop: Int32Array
}
