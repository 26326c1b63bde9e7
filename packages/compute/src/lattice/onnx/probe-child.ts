// Child process of a probe: loads ONNX Runtime, asks one provider the canary question, reports, ends. Whatever the driver does
// to this process, the daemon only sees a message or an exit.
import { adapterName } from '../../colour/webgpu/adapter-name.ts'
import { loadDawn } from '../../colour/webgpu/dawn.ts'
import { runCanary } from '../canary.ts'
import { STABLE_PROFILE } from '../step-engine.ts'
import { OnnxStepEngine } from './onnx-step-engine.ts'
import { loadOrt, type ProviderName, PROVIDERS } from '../../onnx/ort.ts'
import type { ProbeAnswer, ProbeMessage } from './probe.ts'

const provider = PROVIDERS.find((each) => each === process.argv[2])

async function answer(name: ProviderName): Promise<ProbeAnswer> {
  try {
    const ort = await loadOrt()
    const compiledIn = ort.listSupportedBackends().map((backend) => backend.name)
    if (!compiledIn.includes(name)) {
      return {
        type: 'failed',
        message: `onnxruntime-node for ${process.platform}-${process.arch} is built without it (it has ${compiledIn.join(', ')})`,
      }
    }
    const engine = new OnnxStepEngine(ort, name, STABLE_PROFILE)
    const { right, largestError, stepMs } = await runCanary(engine, STABLE_PROFILE)
    await engine.release()
    return right ? { type: 'passed', stepMs, largestError } : { type: 'wrong', largestError }
  } catch (error) {
    return { type: 'failed', message: error instanceof Error ? error.message : String(error) }
  }
}

/** The adapter that ONNX Runtime took, if the same request gives the same one: it does not say itself. */
async function card(): Promise<string | undefined> {
  try {
    const { gpu } = await loadDawn()
    const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' })
    return adapter === null ? undefined : adapterName(adapter.info).name
  } catch {
    // Dawn is an optional package: the card has no name without it
    return undefined
  }
}

function send(message: ProbeMessage): Promise<void> {
  return new Promise((resolve) => process.send?.(message, () => resolve()))
}

if (provider !== undefined) {
  const found = await answer(provider)
  await send(found)
  const name = provider === 'webgpu' && found.type === 'passed' ? await card() : undefined
  if (name !== undefined) await send({ type: 'card', name })
  // leaving at once keeps a driver's exit handlers from turning a good answer into a crash
  process.exit(0)
}
