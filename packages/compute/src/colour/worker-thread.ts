import { Worker } from 'node:worker_threads'
import type { WorkerSettings } from './worker-messages.ts'

/** The file a worker thread runs: TypeScript in the checkout, JavaScript where the package was built. */
export const COLOUR_WORKER: URL = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url)

/** In the checkout Node strips the types itself and finds the other packages' sources. */
const SOURCE_FLAGS = ['--conditions=sgsd-source', '--disable-warning=ExperimentalWarning']

export function startWorker(file: URL, name: string, { duty, niceness }: WorkerSettings): Worker {
  const source = file.pathname.endsWith('.ts')
  const workerData: WorkerSettings = { duty, niceness }
  const worker = new Worker(file, { name, workerData, ...(source ? { execArgv: SOURCE_FLAGS } : {}) })
  // without a listener an error would end the process, even one of a worker that is being stopped; the pool hears of a death by `exit`
  worker.on('error', () => undefined)
  return worker
}
