import { setPriority } from 'node:os'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import type { ColourEngine, EngineLoaders } from './engine.ts'
import type { ColourJob } from './job.ts'
import { loadChecked, probeEngines } from './probe.ts'
import type { FromWorker, ToWorker, WorkerSettings } from './worker-messages.ts'
import { workOnce } from './work.ts'

/** How long a thread computes before it looks for messages and for the next job in turn, ms. */
const SLICE_MS = 10

/** The life of a worker thread: answers messages in order, and works on its jobs in turn, a slice each. */
export function serveColours(loaders: EngineLoaders): void {
  if (parentPort === null) throw new Error('the colour worker was started outside a worker thread')
  const port = parentPort
  const { duty, niceness } = workerData as WorkerSettings
  yieldToOthers(niceness)
  const post = (message: FromWorker): void => port.postMessage(message)
  const jobs: ColourJob[] = []
  let engine: ColourEngine | undefined
  let working: Promise<void> | undefined

  /** Jobs that came while none was worked on start the loop; it ends when there is nothing left to take. */
  async function work(): Promise<void> {
    for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
      const using = inUse()
      const began = performance.now()
      let progress = await workOnce(using, job)
      while (progress === 'more' && performance.now() - began < SLICE_MS) progress = await workOnce(using, job)
      if (progress === 'complete') post({ type: 'complete', id: job.id })
      if (progress === 'more') jobs.push(job)
      const worked = performance.now() - began
      await (duty < 1 ? setTimeout((worked * (1 - duty)) / duty) : setImmediate())
    }
    working = undefined
  }

  function inUse(): ColourEngine {
    if (engine === undefined) throw new Error('a job came before an engine')
    return engine
  }

  let handled: Promise<void> = Promise.resolve()
  async function handle(message: ToWorker): Promise<void> {
    if (message.type === 'probe') {
      post({ type: 'probed', findings: await probeEngines(loaders, message.only) })
    } else if (message.type === 'use') {
      engine = await loadChecked(message.engine, loaders)
    } else if (message.type === 'job') {
      jobs.push(message.job)
      working ??= work()
    } else {
      jobs.length = 0
      await working
      await engine?.close?.()
      port.close()
    }
  }
  port.on('message', (message: ToWorker) => {
    handled = handled.then(() => handle(message))
  })
}

/** On Linux a thread has its own niceness, and 0 names the calling thread; elsewhere it would be the whole process. */
function yieldToOthers(niceness: number): void {
  if (process.platform !== 'linux') return
  try {
    setPriority(0, niceness)
  } catch {
    // a sandbox may forbid it: the thread then competes like any other
  }
}
