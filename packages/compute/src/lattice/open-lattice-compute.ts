import type { FoldId, PeerName } from '@sgsd/consensus'
import { ComputeError } from '../compute-error.ts'
import type { EmbeddedSlice } from './embedding/port.ts'
import type { AnswerSource } from './answering.ts'
import type { EngineState, LatticeCalls, Opened } from './lattice-calls.ts'
import type { ProgramInput, ProgramSlice } from './programs/port.ts'
import type { ProviderName } from '../onnx/ort.ts'
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
  LatticeInfo,
  LayerContent,
  Prediction,
  ProviderReport,
} from './port.ts'
import { cpuEngineOf, parseEngineName, providerOf, type ProviderSurvey, surveyProviders } from './provider-choice.ts'
import { WorkerLink } from '../worker/worker-link.ts'

export interface LatticeOptions {
  /** `native`, `wasm`, `reference` or `onnx:<cuda|coreml|dml|webgpu>`; without it, and with `auto`, the fastest that answers right. */
  readonly provider?: string
  /** The mesh's fold, which decides how this member learns; `mean/1` unless said. */
  readonly fold?: FoldId
  /** This member. Without it no head of a fold is taken for its own. */
  readonly self?: PeerName
}

/**
 * Starts the lattice worker: reads the hanzi table, builds W, chooses the engine by known-answer canaries.
 * @throws ComputeError PROVIDER_UNAVAILABLE when the provider asked for does not work here, saying why
 */
export async function openLatticeCompute(options: LatticeOptions = {}): Promise<LatticeCompute> {
  const wanted = options.provider === undefined || options.provider === 'auto' ? undefined : parseEngineName(options.provider)
  const forced = providerOf(wanted)
  const survey = surveyProviders(wanted)
  if (forced !== undefined) refuseUnlessPassed(forced, await survey)
  const link = new WorkerLink<LatticeCalls>({ url: WORKER, name: 'lattice', data: {}, heap: HEAP, closeMs: CLOSE_MS })
  try {
    const opened = await link.call('open', cpuEngineOf(wanted), {
      foldId: options.fold ?? 'mean/1',
      self: options.self,
    })
    const refused = opened.cpu.find(({ provider, state }) => provider === wanted && state !== 'active')
    if (refused !== undefined) throw new ComputeError('PROVIDER_UNAVAILABLE', { provider: refused.provider, detail: refused.why })
    const { engine, providers } = await settle(link, opened, await survey, forced !== undefined)
    const { kernelId, rows, tauEdges, rhoEdges, buildMs, radicalRows, folds } = opened
    return new LatticeClient(link, { kernelId, rows, tauEdges, rhoEdges, buildMs, radicalRows, rowRate: engine.rowRate, providers, folds })
  } catch (error) {
    await link.close()
    throw error
  }
}

/**
 * Heap of the worker, MB. Building the lattice makes many short-lived objects: with node's own young generation they leave 45 MB of
 * resident memory behind. Matrices and layers lie outside the heap; 22,903 learned rows take about 40 MB in it.
 */
const HEAP = { youngMb: 6, oldMb: 256 } as const

/**
 * How long closing waits for the call that runs, ms. To end a thread inside a run of ONNX Runtime aborts the process, so it is left
 * time for the slowest: a whole trajectory on a software GPU. A daemon stops within 5 s.
 */
const CLOSE_MS = 4_000

const WORKER = new URL(import.meta.url.endsWith('.ts') ? './lattice-worker.ts' : './lattice-worker.js', import.meta.url)

function refuseUnlessPassed(forced: ProviderName, { passed, others }: ProviderSurvey): void {
  if (passed.length > 0) return
  const report = others.find(({ provider }) => provider === `onnx:${forced}`)
  const mend = report?.mend === undefined ? {} : { mend: report.mend }
  throw new ComputeError('PROVIDER_UNAVAILABLE', { provider: `onnx:${forced}`, detail: report?.why ?? 'no answer', ...mend })
}

/** Hands the steps to the fastest provider that passed its probe, if it beats the engine that runs (or was asked for). */
async function settle(
  link: WorkerLink<LatticeCalls>,
  opened: Opened,
  survey: ProviderSurvey,
  forced: boolean,
): Promise<{ engine: EngineState; providers: readonly ProviderReport[] }> {
  let engine = opened.engine
  const others = [...survey.others]
  const standby: ProviderReport[] = []
  for (const { provider, stepMs, why, device } of survey.passed.toSorted((a, b) => a.stepMs - b.stepMs)) {
    const name = `onnx:${provider}`
    const card = device === '' ? {} : { device }
    if (engine.name.startsWith('onnx:') || (!forced && stepMs >= opened.engine.stepMs)) {
      standby.push({ provider: name, state: 'standby', why: `${why}; ${engine.name} takes ${engine.stepMs.toFixed(2)} ms`, ...card })
      continue
    }
    try {
      engine = await link.call('useProvider', provider)
      standby.push({ provider: name, state: 'active', why, ...card })
    } catch (error) {
      if (forced || !(error instanceof ComputeError) || error.code !== 'PROVIDER_UNAVAILABLE') throw error
      const { detail } = error.data as { readonly detail: string }
      others.push({ provider: name, state: 'wrong', why: `passed its probe but not in the worker: ${detail}`, ...card })
    }
  }
  const cpu = opened.cpu.map((report) =>
    report.state === 'active' && engine.name !== report.provider ? { ...report, state: 'standby' as const } : report,
  )
  return {
    engine,
    providers: [
      ...standby.filter((report) => report.state === 'active'),
      ...cpu,
      ...standby.filter((report) => report.state !== 'active'),
      ...others,
    ],
  }
}

/** The port, as calls to the worker. */
class LatticeClient implements LatticeCompute {
  readonly #link: WorkerLink<LatticeCalls>
  readonly #info: LatticeInfo

  constructor(link: WorkerLink<LatticeCalls>, info: LatticeInfo) {
    this.#link = link
    this.#info = info
  }

  info(): LatticeInfo {
    return this.#info
  }

  setOwned(radicals: readonly number[]): Promise<void> {
    return this.#link.call('setOwned', radicals)
  }

  farm(lines: readonly string[], options: FarmOptions = {}): Promise<FarmReport> {
    return this.#link.call('farm', lines, options)
  }

  predict(lines: readonly string[], k: number): Promise<readonly Prediction[]> {
    return this.#link.call('predict', lines, k)
  }

  learn(items: readonly GradedLine[]): Promise<FarmReport> {
    return this.#link.call('learn', items)
  }

  adopt(content: LayerContent): Promise<Adopted> {
    return this.#link.call('adopt', content)
  }

  commit(): Promise<CommitDraft> {
    return this.#link.call('commit')
  }

  restore(own: LayerContent, lines: number, meanScore: number): Promise<void> {
    return this.#link.call('restore', own, lines, meanScore)
  }

  load(content: LayerContent): Promise<string | undefined> {
    return this.#link.call('load', content)
  }

  fold(members: Parameters<LatticeCompute['fold']>[0]): Promise<FoldReport> {
    return this.#link.call('fold', members)
  }

  ask(text: string, k: number): Promise<Answer> {
    return this.#link.call('ask', text, k)
  }

  answerFrom(source: AnswerSource | undefined): Promise<void> {
    return this.#link.call('answerFrom', source)
  }

  consensusRow(row: number): Promise<ConsensusRow> {
    return this.#link.call('consensusRow', row)
  }

  openProgram(input: ProgramInput): Promise<number> {
    return this.#link.call('openProgram', input)
  }

  advanceProgram(id: number): Promise<ProgramSlice> {
    return this.#link.call('advanceProgram', id)
  }

  closeProgram(id: number): Promise<void> {
    return this.#link.call('closeProgram', id)
  }

  openEmbedder(over?: LayerContent): Promise<number> {
    return this.#link.call('openEmbedder', over)
  }

  prepareEmbedder(id: number, dimensions: number): Promise<boolean> {
    return this.#link.call('prepareEmbedder', id, dimensions)
  }

  embed(id: number, texts: readonly string[], dimensions: number): Promise<EmbeddedSlice> {
    return this.#link.call('embed', id, texts, dimensions)
  }

  closeEmbedder(id: number): Promise<void> {
    return this.#link.call('closeEmbedder', id)
  }

  close(): Promise<void> {
    return this.#link.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
