// Child process of the WebGPU probe: loads Dawn and the GPU's driver, asks the canary questions, reports, ends. Whatever the
// driver does to this process, the daemon only sees a message or an exit.
import { canaryFault } from '../canary.ts'
import { loadDawn } from './dawn.ts'
import { GpuDevice } from './gpu-device.ts'
import { GpuEngine } from './gpu-engine.ts'
import type { GpuAnswer } from './probe.ts'

// the parent is gone: nobody waits for an answer
process.once('disconnect', () => process.exit(1))

async function answer(): Promise<GpuAnswer> {
  try {
    const dawn = await loadDawn()
    const device = await GpuDevice.open(dawn)
    const fault = await canaryFault(await GpuEngine.on(async () => device))
    const { name, software } = device
    return fault === undefined ? { type: 'passed', name, software } : { type: 'wrong', message: `${name}: ${fault}` }
  } catch (error) {
    return { type: 'failed', message: error instanceof Error ? error.message : String(error) }
  }
}

const message = await answer()
// leaving at once keeps a driver's exit handlers from turning a good answer into a crash
process.send?.(message, () => process.exit(0))
