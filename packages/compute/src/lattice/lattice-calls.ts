import type { FoldId, PeerName } from '@sgsd/consensus'
import type { EmbeddedSlice } from './embedding/port.ts'
import type { AnswerSource } from './answering.ts'
import type { CpuEngineName } from './cpu-engines.ts'
import type {
  Adopted,
  Answer,
  CommitDraft,
  ConsensusRow,
  FarmOptions,
  FarmReport,
  FoldReport,
  GradedLine,
  LatticeCompute,
  LayerContent,
  Prediction,
  ProviderReport,
} from './port.ts'
import type { ProgramInput, ProgramSlice } from './programs/port.ts'
import type { ProviderName } from '../onnx/ort.ts'

/** What the worker found out while it opened. */
export interface Opened {
  readonly kernelId: string
  readonly rows: number
  readonly tauEdges: number
  readonly rhoEdges: number
  readonly buildMs: number
  readonly radicalRows: readonly number[]
  readonly engine: EngineState
  /** What became of the engines on the processor. */
  readonly cpu: readonly ProviderReport[]
  /** What became of the kernels that fold rows. */
  readonly folds: readonly ProviderReport[]
}

/** The engine that steps from now on. */
export interface EngineState {
  readonly name: string
  /** One step of the canary lattice, ms. */
  readonly stepMs: number
  /** Rows of the loaded lattice stepped per second. */
  readonly rowRate: number
}

export type FoldMembers = Parameters<LatticeCompute['fold']>[0]

/** What decides how a member learns. */
export interface SwarmIdentity {
  /** The mesh's fold, and with it the learning rule. */
  readonly foldId: FoldId
  /** This member: among the heads of a fold its own is not counted twice. */
  readonly self: PeerName | undefined
}

/** What the lattice worker answers, one call after the other. */
export interface LatticeCalls {
  /** Builds the lattice; the first call. @param engine - the only one to step with; the fastest on the processor when undefined */
  open(engine: CpuEngineName | undefined, identity: SwarmIdentity): Promise<Opened>
  /** Goes over to ONNX Runtime. @throws ComputeError PROVIDER_UNAVAILABLE, with the old engine still in place */
  useProvider(provider: ProviderName): Promise<EngineState>
  setOwned(radicals: readonly number[]): void
  farm(lines: readonly string[], options: FarmOptions): Promise<FarmReport>
  predict(lines: readonly string[], k: number): Promise<readonly Prediction[]>
  learn(items: readonly GradedLine[]): Promise<FarmReport>
  adopt(content: LayerContent): Adopted
  commit(): CommitDraft
  restore(own: LayerContent, lines: number, meanScore: number): Promise<void>
  load(content: LayerContent): string | undefined
  fold(members: FoldMembers): Promise<FoldReport>
  ask(text: string, k: number): Promise<Answer>
  answerFrom(source: AnswerSource | undefined): Promise<void>
  consensusRow(row: number): ConsensusRow
  openProgram(input: ProgramInput): number
  advanceProgram(id: number): ProgramSlice
  closeProgram(id: number): void
  openEmbedder(over: LayerContent | undefined): number
  prepareEmbedder(id: number, dimensions: number): boolean
  embed(id: number, texts: readonly string[], dimensions: number): EmbeddedSlice
  closeEmbedder(id: number): void
}
