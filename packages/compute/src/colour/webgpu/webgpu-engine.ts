import { hasGpuDevice, type Machine, thisMachine } from '../../machine.ts'
import { type ColourEngine, EngineRefusal } from '../engine.ts'
import { GpuLink } from './gpu-link.ts'

/** Variables that name a Vulkan driver to load, such as a software one in tests. */
const DRIVER_VARIABLES = ['VK_ICD_FILENAMES', 'VK_DRIVER_FILES', 'VK_ADD_DRIVER_FILES'] as const

/**
 * The GPU, through Dawn: Vulkan, Metal or D3D12.
 * @param asked - whether it was asked for by name: only then does a software adapter serve
 * @throws EngineRefusal that says what is missing, in one sentence
 */
export async function loadWebgpuEngine(asked = false): Promise<ColourEngine> {
  const why = whyUnlikely(thisMachine(), process.env)
  if (why !== undefined) throw new EngineRefusal('missing', why)
  const link = await GpuLink.open()
  if (!link.software || asked) return link
  link.close()
  throw new EngineRefusal('off', `${link.about} computes on the CPU, which the other engines do faster; it serves when asked for by name`)
}

/** Why it is not worth starting a process and loading Dawn, from files alone; undefined when it is. */
export function whyUnlikely(machine: Machine, env: NodeJS.ProcessEnv): string | undefined {
  if (machine.platform !== 'linux' || hasGpuDevice(machine)) return undefined
  if (DRIVER_VARIABLES.some((name) => (env[name] ?? '') !== '')) return undefined
  return 'there is no GPU device (/dev/dri/renderD*, /dev/nvidia*, /dev/dxg)'
}
