// Thread of the joins.
import { parentPort, workerData } from 'node:worker_threads'
import { serveCalls } from '../worker/worker-host.ts'
import { chooseKernel, type KernelChoice } from './choose-kernel.ts'
import type { JoinCalls } from './join-calls.ts'
import { JoinRun } from './join-run.ts'

let choice: KernelChoice | undefined
let run: JoinRun | undefined

const calls: JoinCalls = {
  open: (only) => {
    choice = chooseKernel(only)
    return { engine: choice.kernel.name, engines: choice.reports }
  },
  begin: (sets, gate) => {
    if (choice === undefined) throw new Error('no engine is open')
    run = new JoinRun(choice.kernel, sets, gate)
    return run.sizes
  },
  next: () => {
    const piece = run?.next(() => performance.now())
    return run === undefined || piece === undefined ? undefined : { piece, done: run.done }
  },
  end: () => {
    run = undefined
  },
}

if (parentPort === null) throw new Error('the join worker was started outside a worker thread')
serveCalls(parentPort, calls, (workerData as { readonly stop: Int32Array }).stop, async () => {})
