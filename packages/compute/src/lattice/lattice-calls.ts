import type { Answer, CommitDraft, FarmReport, FoldReport, LatticeCompute, LayerContent } from './port.ts'
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
  /** The wasm kernel's report: it is always tried. */
  readonly wasm: { readonly state: 'active' | 'missing' | 'wrong' | 'off'; readonly why: string }
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

/** What the lattice worker answers, one call after the other. */
export interface LatticeCalls {
  /** Builds the lattice; the first call. */
  open(engine: 'wasm' | 'reference'): Promise<Opened>
  /** Goes over to ONNX Runtime. @throws ComputeError PROVIDER_UNAVAILABLE, with the old engine still in place */
  useProvider(provider: ProviderName): Promise<EngineState>
  setOwned(radicals: readonly number[]): void
  farm(lines: readonly string[]): Promise<FarmReport>
  commit(): CommitDraft
  restore(own: LayerContent, lines: number, meanScore: number): Promise<void>
  load(content: LayerContent): string | undefined
  fold(members: FoldMembers): Promise<FoldReport>
  ask(text: string, k: number): Promise<Answer>
}
