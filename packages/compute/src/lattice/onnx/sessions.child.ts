// Child process of sessions.test.ts: opens and releases sessions of the lattice's graph, and reports how much the process grew, MB.
import { loadOrt } from '../../onnx/ort.ts'
import { makeCanary } from '../canary.ts'
import { STABLE_PROFILE } from '../step-engine.ts'
import { OnnxStepEngine } from './onnx-step-engine.ts'

/** Loads that are not counted: allocators and pools fill up. */
const WARM_UP = 20
const SESSIONS = 100

const provider = process.argv[2] === 'webgpu' ? 'webgpu' : 'cpu'
const { cover, teacher } = makeCanary()
const engine = new OnnxStepEngine(await loadOrt(), provider, STABLE_PROFILE)
let before = 0
for (let each = 0; each < WARM_UP + SESSIONS; each++) {
  if (each === WARM_UP) before = process.memoryUsage().rss
  // a lattice of its own each time: an engine does not load one twice
  await engine.load(makeCanary().matrices)
  if (each % 20 === 0) await engine.converge(cover, teacher)
}
await engine.release()
process.send?.((process.memoryUsage().rss - before) / 2 ** 20, () => process.exit(0))
