import { ComputeError } from '../compute-error.ts'
import type { EngineState, LatticeCalls, Opened } from './lattice-calls.ts'
import type { Answer, CommitDraft, FarmReport, FoldReport, LatticeCompute, LatticeInfo, LayerContent, ProviderReport } from './port.ts'
import { parseEngineName, providerOf, type ProviderSurvey, surveyProviders } from './provider-choice.ts'
import { WorkerLink } from './worker-link.ts'

export interface LatticeOptions {
  /** `wasm`, `reference` or `onnx:<cuda|coreml|dml|webgpu>`; without it the fastest that answers right. */
  readonly provider?: string
}

/**
 * Starts the lattice worker: reads the hanzi table, builds W, chooses the engine by known-answer canaries.
 * @throws ComputeError PROVIDER_UNAVAILABLE when the provider asked for does not work here, saying why
 */
export async function openLatticeCompute(options: LatticeOptions = {}): Promise<LatticeCompute> {
  const wanted = options.provider === undefined ? undefined : parseEngineName(options.provider)
  const link = new WorkerLink<LatticeCalls>({ url: WORKER, name: 'lattice', data: {} })
  try {
    const [opened, survey] = await Promise.all([link.call('open', wanted === 'reference' ? 'reference' : 'wasm'), surveyProviders(wanted)])
    const forced = providerOf(wanted)
    if (forced !== undefined && survey.passed.length === 0) {
      const detail = survey.others.find(({ provider }) => provider === wanted)?.why ?? 'no answer'
      throw new ComputeError('PROVIDER_UNAVAILABLE', { provider: forced, detail })
    }
    if (wanted === 'wasm' && opened.wasm.state !== 'active') {
      throw new ComputeError('PROVIDER_UNAVAILABLE', { provider: 'wasm', detail: opened.wasm.why })
    }
    const { engine, providers } = await settle(link, opened, survey, forced !== undefined)
    const { kernelId, rows, tauEdges, rhoEdges, buildMs, radicalRows } = opened
    return new LatticeClient(link, { kernelId, rows, tauEdges, rhoEdges, buildMs, radicalRows, rowRate: engine.rowRate, providers })
  } catch (error) {
    await link.close()
    throw error
  }
}

const WORKER = new URL(import.meta.url.endsWith('.ts') ? './lattice-worker.ts' : './lattice-worker.js', import.meta.url)

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
  for (const { provider, stepMs, why } of survey.passed.toSorted((a, b) => a.stepMs - b.stepMs)) {
    const name = `onnx:${provider}`
    if (engine.name.startsWith('onnx:') || (!forced && stepMs >= opened.engine.stepMs)) {
      standby.push({ provider: name, state: 'standby', why: `${why}; ${engine.name} takes ${engine.stepMs.toFixed(2)} ms` })
      continue
    }
    try {
      engine = await link.call('useProvider', provider)
      standby.push({ provider: name, state: 'active', why })
    } catch (error) {
      if (forced || !(error instanceof ComputeError) || error.code !== 'PROVIDER_UNAVAILABLE') throw error
      const { detail } = error.data as { readonly detail: string }
      others.push({ provider: name, state: 'wrong', why: `passed its probe but not in the worker: ${detail}` })
    }
  }
  const { state, why } = opened.wasm
  const wasm: ProviderReport = { provider: 'wasm', state: state === 'active' && engine.name !== 'wasm' ? 'standby' : state, why }
  return {
    engine,
    providers: [...standby.filter((report) => report.state === 'active'), wasm, ...standby.filter((report) => report.state !== 'active'), ...others],
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

  farm(lines: readonly string[]): Promise<FarmReport> {
    return this.#link.call('farm', lines)
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

  close(): Promise<void> {
    return this.#link.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
