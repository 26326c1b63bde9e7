import { ComputeError } from '../compute-error.ts'
import { CPU_ENGINES, type CpuEngineName } from './cpu-engines.ts'
import { diagnose, PROBE_MENDS } from './onnx/diagnosis.ts'
import { probeProvider, type ProbeResult } from './onnx/probe.ts'
import { gatherProviderFacts, type ProviderFacts } from './onnx/provider-facts.ts'
import { type ProviderName, PROVIDERS } from '../onnx/ort.ts'
import type { ProviderReport } from './port.ts'

/** Names for `LatticeOptions.provider`: one of these, or nothing for the fastest. */
export type EngineName = CpuEngineName | `onnx:${ProviderName}`

export const ENGINE_NAMES: readonly EngineName[] = [...CPU_ENGINES, ...PROVIDERS.map((provider) => `onnx:${provider}` as const)]

export interface PassedProvider {
  readonly provider: ProviderName
  readonly stepMs: number
  readonly why: string
  readonly device: string
}

/** Providers that passed their probe, and what became of the others. */
export interface ProviderSurvey {
  readonly passed: readonly PassedProvider[]
  readonly others: readonly ProviderReport[]
}

/** What the survey asks of the outside. */
export interface SurveyTools {
  /** @param thorough - a provider is asked for by name */
  facts(thorough: boolean): Promise<ProviderFacts>
  probe(provider: ProviderName): Promise<ProbeResult>
}

/** @throws ComputeError PROVIDER_UNAVAILABLE for a name that is no engine */
export function parseEngineName(name: string): EngineName {
  const known = ENGINE_NAMES.find((each) => each === name)
  if (known !== undefined) return known
  throw new ComputeError('PROVIDER_UNAVAILABLE', { provider: name, detail: `not one of ${ENGINE_NAMES.join(', ')}` })
}

/** The engine on the processor behind an engine name, if it is one. */
export function cpuEngineOf(engine: EngineName | undefined): CpuEngineName | undefined {
  return CPU_ENGINES.find((name) => name === engine)
}

/** The provider behind an engine name, if there is one. */
export function providerOf(engine: EngineName | undefined): ProviderName | undefined {
  return PROVIDERS.find((provider) => `onnx:${provider}` === engine)
}

/**
 * Probes what could work here, in the order of `PROVIDERS`, one at a time (two drivers at once would measure each other).
 * Where nothing is plausible, nothing is loaded or started.
 * @param forced - the only provider to probe, even where its files or device seem to be missing: its own error says more
 */
export async function surveyProviders(forced: EngineName | undefined, tools: SurveyTools = REAL_TOOLS): Promise<ProviderSurvey> {
  const passed: PassedProvider[] = []
  const others: ProviderReport[] = []
  const facts = await tools.facts(providerOf(forced) !== undefined)
  for (const provider of PROVIDERS) {
    const name = `onnx:${provider}` as const
    if (forced !== undefined && forced !== name) {
      others.push({ provider: name, state: 'off', why: `the configuration asks for ${forced}` })
      continue
    }
    const { state, why, mend } = diagnose(provider, facts)
    if (state === 'off' || (state === 'missing' && forced === undefined)) {
      others.push({ provider: name, state, why, ...mended(mend) })
      continue
    }
    const result = await tools.probe(provider)
    if (result.state === 'passed')
      passed.push({ provider, stepMs: result.stepMs, why: result.why, device: result.card ?? (state === 'try' ? why : '') })
    else if (state === 'missing')
      others.push({ provider: name, state: result.state, why: `${why}; tried all the same: ${result.why}`, ...mended(mend) })
    else
      others.push({ provider: name, state: result.state, why: result.why, ...mended(PROBE_MENDS[provider]), ...(why === '' ? {} : { device: why }) })
  }
  return { passed, others }
}

function mended(mend: string): { readonly mend?: string } {
  return mend === '' ? {} : { mend }
}

const REAL_TOOLS: SurveyTools = {
  facts: (thorough) => gatherProviderFacts(thorough),
  probe: (provider) => probeProvider(provider),
}
