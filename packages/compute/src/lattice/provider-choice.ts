import { ComputeError } from '../compute-error.ts'
import { CPU_ENGINES, type CpuEngineName } from './cpu-engines.ts'
import { type Machine, thisMachine } from '../machine.ts'
import { plausibility } from './onnx/plausible.ts'
import { probeProvider, type ProbeResult } from './onnx/probe.ts'
import { type ProviderName, PROVIDERS } from '../onnx/ort.ts'
import type { ProviderReport } from './port.ts'

/** Names for `LatticeOptions.provider`: one of these, or nothing for the fastest. */
export type EngineName = CpuEngineName | `onnx:${ProviderName}`

/** Providers that passed their probe, and what became of the others. */
export interface ProviderSurvey {
  readonly passed: readonly { readonly provider: ProviderName; readonly stepMs: number; readonly why: string }[]
  readonly others: readonly ProviderReport[]
}

/** What the survey asks of the outside. */
export interface SurveyTools {
  readonly machine: Machine
  probe(provider: ProviderName): Promise<ProbeResult>
}

/** @throws ComputeError PROVIDER_UNAVAILABLE for a name that is no engine */
export function parseEngineName(name: string): EngineName {
  const known: readonly string[] = [...CPU_ENGINES, ...PROVIDERS.map((provider) => `onnx:${provider}`)]
  if (known.includes(name)) return name as EngineName
  throw new ComputeError('PROVIDER_UNAVAILABLE', { provider: name, detail: `not one of ${known.join(', ')}` })
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
  const passed: { provider: ProviderName; stepMs: number; why: string }[] = []
  const others: ProviderReport[] = []
  for (const provider of PROVIDERS) {
    const report = (state: ProviderReport['state'], why: string): void => {
      others.push({ provider: `onnx:${provider}`, state, why })
    }
    const wanted = forced === undefined || forced === `onnx:${provider}`
    const { state, why } = plausibility(provider, tools.machine)
    if (!wanted) report('off', `the configuration asks for ${forced}`)
    else if (state !== 'try' && (forced === undefined || state === 'off')) report(state, why)
    else {
      const result = await tools.probe(provider)
      if (result.state === 'passed') passed.push({ provider, stepMs: result.stepMs, why: result.why })
      else report(result.state, result.why)
    }
  }
  return { passed, others }
}

const REAL_TOOLS: SurveyTools = {
  get machine() {
    return thisMachine()
  },
  probe: (provider) => probeProvider(provider),
}
