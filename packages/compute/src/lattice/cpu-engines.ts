import { type Canary, makeCanary, runCanary } from './canary.ts'
import { NativeStepEngine } from './native-step-engine.ts'
import type { ProviderReport } from './port.ts'
import { ReferenceStepEngine } from './reference-step-engine.ts'
import { STABLE_PROFILE, type StepEngine, type SwarmProfile } from './step-engine.ts'
import { WasmStepEngine } from './wasm-step-engine.ts'

/** Engines that step on the processor; `native` and `wasm` agree with `reference` to the bit. */
export const CPU_ENGINES = ['native', 'wasm', 'reference'] as const
export type CpuEngineName = (typeof CPU_ENGINES)[number]

/** One engine that may be missing here. */
export interface CpuEngineOpener {
  readonly name: 'native' | 'wasm'
  /** @throws Error that says what is missing */
  open(profile: SwarmProfile): { readonly engine: StepEngine; readonly about: string }
}

/** The engine that steps, how long its step of the canary lattice took, and what became of each that was tried. */
export interface ChosenCpuEngine {
  readonly engine: StepEngine
  readonly stepMs: number
  readonly reports: readonly ProviderReport[]
}

/** In the order in which they are tried. */
const OPENERS: readonly CpuEngineOpener[] = [
  {
    name: 'native',
    open(profile) {
      const engine = new NativeStepEngine(profile)
      return { engine, about: `C, ${engine.about}` }
    },
  },
  { name: 'wasm', open: (profile) => ({ engine: WasmStepEngine.open(profile), about: 'WebAssembly SIMD128' }) },
]

/**
 * The fastest engine that answers the canary right; the reference where none does, or where it was asked for.
 * @param wanted - the only one to try
 */
export async function chooseCpuEngine(
  wanted: CpuEngineName | undefined,
  openers: readonly CpuEngineOpener[] = OPENERS,
  profile: SwarmProfile = STABLE_PROFILE,
): Promise<ChosenCpuEngine> {
  const canary = makeCanary()
  const right: (Trial & { engine: StepEngine })[] = []
  const reports = new Map<string, ProviderReport>()
  for (const opener of openers) {
    const { name } = opener
    if (wanted !== undefined && wanted !== name) {
      reports.set(name, { provider: name, state: 'off', why: `the configuration asks for ${wanted}` })
      continue
    }
    const trial = await tryEngine(opener, profile, canary)
    reports.set(name, { provider: name, state: trial.state, why: trial.why })
    if (trial.engine !== undefined) right.push({ ...trial, engine: trial.engine })
  }
  const [fastest, ...others] = right.toSorted((a, b) => a.stepMs - b.stepMs)
  for (const { engine } of others) await engine.release()
  if (fastest === undefined) {
    const engine = new ReferenceStepEngine(profile)
    const { stepMs } = await runCanary(engine, profile, canary)
    const reason = wanted === 'reference' ? 'the configuration asks for it' : 'no other engine answers right here'
    reports.set('reference', { provider: 'reference', state: 'active', why: `JavaScript, ${stepMs.toFixed(2)} ms a step: ${reason}` })
    return { engine, stepMs, reports: [...reports.values()] }
  }
  const { engine, stepMs, why } = fastest
  reports.set(engine.name, { provider: engine.name, state: 'active', why })
  return { engine, stepMs, reports: [...reports.values()] }
}

/** Another engine of a name that answered right here before. @returns the fastest one for a name that is no engine of the processor */
export async function openCpuEngine(name: string, profile: SwarmProfile = STABLE_PROFILE): Promise<StepEngine> {
  if (name === 'reference') return new ReferenceStepEngine(profile)
  const opener = OPENERS.find((each) => each.name === name)
  return opener === undefined ? (await chooseCpuEngine(undefined)).engine : opener.open(profile).engine
}

interface Trial {
  /** Only of one that answered right. */
  readonly engine?: StepEngine
  readonly stepMs: number
  readonly state: 'standby' | 'missing' | 'wrong'
  readonly why: string
}

async function tryEngine(opener: CpuEngineOpener, profile: SwarmProfile, canary: Canary): Promise<Trial> {
  try {
    const { engine, about } = opener.open(profile)
    const { right, largestError, stepMs } = await runCanary(engine, profile, canary)
    if (right) return { engine, stepMs, state: 'standby', why: `${about}, equal to the reference to the bit, ${stepMs.toFixed(2)} ms a step` }
    await engine.release()
    return { stepMs, state: 'wrong', why: `its step differs from the reference by ${largestError.toPrecision(2)}` }
  } catch (error) {
    return { stepMs: Infinity, state: 'missing', why: error instanceof Error ? error.message : String(error) }
  }
}
