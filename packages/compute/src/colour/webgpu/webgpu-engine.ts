import { CHUNK_COLOURS } from '@sgsd/color'
import { thisMachine } from '../../lattice/onnx/plausible.ts'
import { type ColourEngine, EngineRefusal } from '../engine.ts'
import { loadDawn } from './dawn.ts'
import { GpuDevice } from './gpu-device.ts'
import { GpuEngine } from './gpu-engine.ts'
import { probeGpu, unlikely } from './probe.ts'

/** Longest warm-up, ms: dispatches double until they take as long as they should, from 2^18 colours to 2^34 on the largest cards. */
const WARM_UP_MS = 300

/** What a child process of this thread found out: one that survived is enough. A thread that dies and is replaced asks again. */
let probed: ReturnType<typeof probeGpu> | undefined

/**
 * The GPU, through Dawn: Vulkan, Metal or D3D12. Its driver is loaded in a child process first.
 * @param asked - whether it was asked for by name: only then does a software adapter serve
 * @throws EngineRefusal that says what is missing, in one sentence
 */
export async function loadWebgpuEngine(asked = false): Promise<ColourEngine> {
  const why = unlikely(thisMachine(), process.env)
  if (why !== undefined) throw new EngineRefusal('missing', why)
  probed ??= probeGpu()
  const { name, software } = await probed
  if (software && !asked)
    throw new EngineRefusal('off', `${name} computes on the CPU, which the other engines do faster; it serves when asked for by name`)
  const dawn = await loadDawn()
  const engine = await GpuEngine.on(() => GpuDevice.open(dawn))
  await warmUp(engine)
  return engine
}

/** Lets the engine find the size of its dispatches. */
async function warmUp(engine: GpuEngine): Promise<void> {
  const began = performance.now()
  for (const kernel of ['turbo32', 'spi64'] as const) {
    for (let before = 0; engine.dispatchColours(kernel) > before && performance.now() - began < WARM_UP_MS;) {
      before = engine.dispatchColours(kernel)
      await engine.xorRuns(kernel, 0n, 0n, Math.min(before, CHUNK_COLOURS), new BigUint64Array(Math.ceil(before / CHUNK_COLOURS)))
    }
  }
}
