// The process that holds the GPU: loads Dawn and the driver, says what it found, then computes one call after another. A driver that
// crashes or hangs takes only this process along, and Dawn aborts a process that ends while it waits for the GPU: here nobody minds.
import { CHUNK_COLOURS } from '@sgsd/color'
import { loadDawn } from './dawn.ts'
import { GpuDevice } from './gpu-device.ts'
import { GpuEngine } from './gpu-engine.ts'
import type { FromGpu, ToGpu } from './gpu-messages.ts'

/** Longest warm-up of a kernel, ms: dispatches double until they take as long as they should, from 2^18 colours to 2^34 on the largest cards. */
const WARM_UP_MS = 150

/** How often a long call is said to go on, ms. */
const PROGRESS_MS = 1_000

function send(message: FromGpu, sent?: () => void): void {
  process.send?.(message, undefined, undefined, () => sent?.())
}

/** Ends at once: exit handlers of Dawn or of the driver could only spoil it. */
function end(): void {
  process.kill(process.pid, 'SIGKILL')
}

/** Lets the engine find the size of its dispatches. */
async function warmUp(engine: GpuEngine): Promise<void> {
  for (const kernel of ['turbo32', 'spi64'] as const) {
    // the first dispatch may compile, and says nothing about speed
    await engine.xorRuns(kernel, 0n, 0n, 1, new BigUint64Array(1))
    const began = performance.now()
    for (let before = 0; engine.dispatchColours(kernel) > before && performance.now() - began < WARM_UP_MS;) {
      before = engine.dispatchColours(kernel)
      const runs = Math.ceil(before / CHUNK_COLOURS)
      await engine.xorRuns(kernel, 0n, 0n, Math.min(before, CHUNK_COLOURS), new BigUint64Array(runs))
    }
  }
}

async function answer(engine: GpuEngine, { kernel, seed, start, length, runs }: ToGpu): Promise<void> {
  const xors = new BigUint64Array(runs)
  await engine.xorRuns(kernel, seed, start, length, xors)
  send({ type: 'xors', xors, batch: engine.batch })
}

function fail(error: unknown): void {
  send({ type: 'failed', message: error instanceof Error ? error.message : String(error) }, end)
}

async function serve(): Promise<void> {
  const dawn = await loadDawn()
  let reported = performance.now()
  const first = await GpuDevice.open(dawn)
  let next: GpuDevice | undefined = first
  const open = async (): Promise<GpuDevice> => {
    const device = next ?? (await GpuDevice.open(dawn))
    next = undefined
    return device
  }
  const engine = await GpuEngine.on(open, () => {
    if (performance.now() - reported < PROGRESS_MS) return
    reported = performance.now()
    send({ type: 'progress' })
  })
  await warmUp(engine)
  process.on('message', (call: ToGpu) => {
    answer(engine, call).catch(fail)
  })
  send({ type: 'ready', name: first.name, software: first.software, batch: engine.batch })
}

process.once('disconnect', end)
serve().catch(fail)
