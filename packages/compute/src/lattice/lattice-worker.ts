// Thread of the lattice: the swarm and its engine behind the calls of lattice-calls.ts.
import { parentPort, workerData } from 'node:worker_threads'
import { ruleOf } from '@sgsd/consensus'
import { buildLattice, coverState, type HanziKernel, radicalRows } from '@sgsd/lattice'
import { ComputeError } from '../compute-error.ts'
import { runCanary } from './canary.ts'
import { chooseCpuEngine } from './cpu-engines.ts'
import { Embedders } from './embedding/embedders.ts'
import { readTable } from './hanzi-table.ts'
import { chooseFoldKernel } from './fold/choose-fold-kernel.ts'
import type { EngineState, LatticeCalls, Opened } from './lattice-calls.ts'
import { OnnxStepEngine } from './onnx/onnx-step-engine.ts'
import { loadOrt, type ProviderName } from '../onnx/ort.ts'
import { Programs, type ProgramSource } from './programs/programs.ts'
import { STABLE_PROFILE, type StepEngine } from './step-engine.ts'
import { type AnySwarm, openSwarm } from './swarm.ts'
import { serveCalls } from '../worker/worker-host.ts'
import { STOP_CELL } from '../worker/worker-messages.ts'

/** Trajectories over which the row rate is measured: a few milliseconds. */
const RATE_RUNS = 5

const stop: Int32Array = (workerData as { readonly stop: Int32Array }).stop
let kernel: HanziKernel | undefined
let swarm: AnySwarm | undefined
let programs: Programs | undefined
let embedders: Embedders | undefined

const calls: LatticeCalls = {
  async open(wanted, { foldId, self }): Promise<Opened> {
    const table = readTable()
    const began = performance.now()
    const base = buildLattice(table)
    const buildMs = performance.now() - began
    const { engine, stepMs, reports } = await chooseCpuEngine(wanted)
    // counts are summed by the fold itself
    const folds = ruleOf(foldId) === 'hebb' ? chooseFoldKernel() : undefined
    kernel = table
    swarm = openSwarm(foldId, { kernel: table, base, self, stopped: () => Atomics.load(stop, STOP_CELL) === 1 }, engine, folds?.kernel)
    await swarm.use(engine)
    programs = new Programs(table, swarm)
    embedders = new Embedders(table, foldId, answersOf(swarm))
    return {
      kernelId: table.id,
      rows: table.definedCount,
      tauEdges: base.tau.cols.length,
      rhoEdges: base.rho.cols.length,
      buildMs,
      radicalRows: radicalRows(table),
      engine: await measure(engine, stepMs),
      cpu: reports,
      folds: folds?.reports ?? [],
    }
  },

  async useProvider(provider): Promise<EngineState> {
    const engine = await openProvider(provider)
    try {
      const { right, largestError, stepMs } = await runCanary(engine, STABLE_PROFILE)
      if (!right) throw new Error(`its step differs from the reference by ${largestError.toPrecision(2)}`)
      const before = opened().engine
      await opened().use(engine)
      await before.release()
      return await measure(engine, stepMs)
    } catch (error) {
      await engine.release()
      throw unavailable(provider, error)
    }
  },

  setOwned: (radicals) => opened().setOwned(radicals),
  farm: (lines, options) => opened().farm(lines, options),
  predict: (lines, k) => opened().predict(lines, k),
  learn: (items) => opened().learn(items),
  adopt: (content) => opened().adopt(content),
  commit: () => opened().commit(),
  restore: (own, lines, meanScore) => opened().restore(own, lines, meanScore),
  load: (content) => opened().load(content),
  fold: (members) => opened().fold(members),
  ask: (text, k) => opened().ask(text, k),
  answerFrom: (source) => opened().answerFrom(source),
  consensusRow: (row) => opened().consensusRow(row),
  openProgram: (input) => openedPrograms().open(input),
  advanceProgram: (id) => openedPrograms().advance(id),
  closeProgram: (id) => openedPrograms().close(id),
  openEmbedder: (over) => openedEmbedders().open(over),
  prepareEmbedder: (id, dimensions) => openedEmbedders().prepare(id, dimensions),
  embed: (id, texts, dimensions) => openedEmbedders().embed(id, texts, dimensions),
  closeEmbedder: (id) => openedEmbedders().close(id),
}

if (parentPort === null) throw new Error('the lattice worker was started outside a worker thread')
serveCalls(parentPort, calls, stop, async () => {
  await swarm?.engine.release()
})

function opened(): AnySwarm {
  if (swarm === undefined) throw new Error('the lattice worker was called before `open`')
  return swarm
}

function openedPrograms(): Programs {
  if (programs === undefined) throw new Error('the lattice worker was called before `open`')
  return programs
}

function openedEmbedders(): Embedders {
  if (embedders === undefined) throw new Error('the lattice worker was called before `open`')
  return embedders
}

/** What answers in the place of the consensus is embedded in its place too. */
function answersOf(running: AnySwarm): ProgramSource {
  return {
    get consensus() {
      return running.answers
    },
    consensusOf: (content) => running.consensusOf(content),
  }
}

async function openProvider(provider: ProviderName): Promise<OnnxStepEngine> {
  try {
    return new OnnxStepEngine(await loadOrt(), provider, STABLE_PROFILE)
  } catch (error) {
    throw unavailable(provider, error)
  }
}

function unavailable(provider: ProviderName, error: unknown): ComputeError {
  return new ComputeError('PROVIDER_UNAVAILABLE', { provider: `onnx:${provider}`, detail: error instanceof Error ? error.message : String(error) })
}

/** Steps the loaded lattice; its time does not depend on the state. */
async function measure(engine: StepEngine, stepMs: number): Promise<EngineState> {
  const start = coverState(kernel!, Uint32Array.of(0))
  let stepped = 0
  const began = performance.now()
  for (let run = 0; run < RATE_RUNS; run++) stepped += kernel!.definedCount * (await engine.converge(start, start)).steps
  return { name: engine.name, stepMs, rowRate: Math.round((1_000 * stepped) / (performance.now() - began)) }
}
