import { CHUNK_COLOURS } from '@sgsd/color'
import { canaryFault } from './canary.ts'
import type { ColourEngine, EngineLoaders } from './engine.ts'

/** What was found out about an engine at start. */
export type EngineFinding =
  | { readonly engine: string; readonly state: 'good'; readonly why: string; readonly coloursPerSecond: number }
  | { readonly engine: string; readonly state: 'missing' | 'wrong'; readonly why: string }

/** How long an engine is timed at least, ms: some 50 chunks in wasm, enough to rank engines, short enough for a command's start. */
const TIMING_MS = 25

/** And how many calls at least: the first still pay for the compiler. */
const TIMING_CALLS = 3

/** Loads every engine, asks it the canary, and times those that are right on the mining kernel. */
export async function probeEngines(loaders: EngineLoaders): Promise<EngineFinding[]> {
  const findings: EngineFinding[] = []
  for (const engine of Object.keys(loaders)) findings.push(await probeEngine(engine, loaders))
  return findings
}

/** Loads one engine and asks it the canary. @throws Error that says what is missing or wrong */
export async function loadChecked(name: string, loaders: EngineLoaders): Promise<ColourEngine> {
  const loader = loaders[name]
  if (loader === undefined) throw new Error(`there is no engine ${name}`)
  const engine = await loader()
  const fault = await canaryFault(engine)
  if (fault !== undefined) throw new Error(fault)
  return engine
}

async function probeEngine(name: string, loaders: EngineLoaders): Promise<EngineFinding> {
  let engine: ColourEngine | undefined
  try {
    engine = await loaders[name]?.()
  } catch (error) {
    return { engine: name, state: 'missing', why: message(error) }
  }
  if (engine === undefined) return { engine: name, state: 'missing', why: 'it is not in this build' }
  try {
    const fault = await canaryFault(engine)
    if (fault !== undefined) return { engine: name, state: 'wrong', why: fault }
    const coloursPerSecond = await rateOf(engine)
    return {
      engine: name,
      state: 'good',
      why: `${engine.about}, ${(coloursPerSecond / 1e9).toFixed(2)} G spi64 colours/s a thread`,
      coloursPerSecond,
    }
  } catch (error) {
    return { engine: name, state: 'wrong', why: `it fails: ${message(error)}` }
  }
}

/** Colours per second of the mining kernel, its best batch: the first ones run in baseline code. */
async function rateOf(engine: ColourEngine): Promise<number> {
  const out = new BigUint64Array(engine.batch)
  const began = performance.now()
  let best = 0
  for (let call = 0, before = began; call < TIMING_CALLS || before - began < TIMING_MS; call++) {
    await engine.xorRuns('spi64', 0n, 0n, CHUNK_COLOURS, out)
    const now = performance.now()
    best = Math.max(best, (engine.batch * CHUNK_COLOURS * 1000) / (now - before))
    before = now
  }
  return best
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
