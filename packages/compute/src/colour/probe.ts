import { CHUNK_COLOURS } from '@sgsd/color'
import { canaryFault } from './canary.ts'
import { type ColourEngine, type EngineLoaders, EngineRefusal } from './engine.ts'

/** What was found out about an engine at start. */
export type EngineFinding =
  | {
      readonly engine: string
      readonly state: 'good'
      readonly why: string
      /** Of one thread. */
      readonly coloursPerSecond: number
      /** Threads that may use it at once; absent: all. */
      readonly threads?: number
    }
  | { readonly engine: string; readonly state: 'missing' | 'wrong' | 'off'; readonly why: string }

/** How long an engine is timed at least, ms: some 50 chunks in wasm, enough to rank engines, short enough for a command's start. */
const TIMING_MS = 25

/** And how many calls at least: the first still pay for the compiler. */
const TIMING_CALLS = 3

/**
 * Loads every engine, asks it the canary, and times those that are right on the mining kernel.
 * @param only - the one engine to try, whatever it costs; the others are then `off`
 */
export async function probeEngines(loaders: EngineLoaders, only?: string): Promise<EngineFinding[]> {
  const findings: EngineFinding[] = []
  for (const engine of Object.keys(loaders)) {
    const wanted = only === undefined || engine === only
    findings.push(wanted ? await probeEngine(engine, loaders, engine === only) : { engine, state: 'off', why: `${only} was asked for` })
  }
  if (only !== undefined && !Object.hasOwn(loaders, only))
    findings.push({ engine: only, state: 'missing', why: `there is no such engine, there are ${Object.keys(loaders).join(', ')}` })
  return findings
}

/** Loads one engine and asks it the canary. @throws Error that says what is missing or wrong */
export async function loadChecked(name: string, loaders: EngineLoaders): Promise<ColourEngine> {
  const loader = loaders[name]
  if (loader === undefined) throw new Error(`there is no engine ${name}`)
  const engine = await loader(true)
  const fault = await canaryFault(engine)
  if (fault !== undefined) throw new Error(fault)
  return engine
}

async function probeEngine(name: string, loaders: EngineLoaders, asked: boolean): Promise<EngineFinding> {
  let engine: ColourEngine | undefined
  try {
    engine = await loaders[name]?.(asked)
  } catch (error) {
    return { engine: name, state: error instanceof EngineRefusal ? error.state : 'missing', why: message(error) }
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
      ...(engine.threads === undefined ? {} : { threads: engine.threads }),
    }
  } catch (error) {
    return { engine: name, state: 'wrong', why: `it fails: ${message(error)}` }
  } finally {
    await engine.close?.()
  }
}

/** Colours per second of the mining kernel, its best batch: the first ones run in baseline code. */
async function rateOf(engine: ColourEngine): Promise<number> {
  const began = performance.now()
  let best = 0
  for (let call = 0, before = began; call < TIMING_CALLS || before - began < TIMING_MS; call++) {
    const out = new BigUint64Array(engine.batch)
    await engine.xorRuns('spi64', 0n, 0n, CHUNK_COLOURS, out)
    const now = performance.now()
    best = Math.max(best, (out.length * CHUNK_COLOURS * 1000) / (now - before))
    before = now
  }
  return best
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
