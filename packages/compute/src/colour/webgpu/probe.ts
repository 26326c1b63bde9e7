import { askChild, type ChildOutcome, reportLine } from '../../child-probe.ts'
import { hasGpuDevice, type Machine } from '../../lattice/onnx/plausible.ts'
import { EngineRefusal } from '../engine.ts'

/** How long a driver may take to start and to answer, ms: 1 to 2 s with a GPU; the pool waits 15 s for all engines together. */
const PROBE_DEADLINE_MS = 8_000

/** What the child process reports. */
export type GpuAnswer =
  | { readonly type: 'passed'; readonly name: string; readonly software: boolean }
  | { readonly type: 'wrong' | 'failed'; readonly message: string }

export interface ProbeOptions {
  readonly deadlineMs?: number
  /** The child's module; tests put a misbehaving one here. */
  readonly child?: URL
}

/** Variables that name a Vulkan driver to load, such as a software one in tests. */
const DRIVER_VARIABLES = ['VK_ICD_FILENAMES', 'VK_DRIVER_FILES', 'VK_ADD_DRIVER_FILES'] as const

/** Why it is not worth loading Dawn here, from files alone; undefined when it is. */
export function unlikely(machine: Machine, env: NodeJS.ProcessEnv): string | undefined {
  if (machine.platform !== 'linux') return undefined
  if (DRIVER_VARIABLES.some((name) => (env[name] ?? '') !== '') || hasGpuDevice(machine)) return undefined
  return 'there is no GPU device (/dev/dri/renderD*, /dev/nvidia*, /dev/dxg)'
}

/**
 * Loads the GPU's driver in a process of its own and asks it the canary questions.
 * @throws EngineRefusal that says what is missing or wrong
 */
export async function probeGpu({ deadlineMs = PROBE_DEADLINE_MS, child = CHILD }: ProbeOptions = {}): Promise<
  Extract<GpuAnswer, { type: 'passed' }>
> {
  return judgeGpu(await askChild<GpuAnswer>(child, [], deadlineMs))
}

/** @throws EngineRefusal unless the answer was right */
export function judgeGpu(outcome: ChildOutcome<GpuAnswer>): Extract<GpuAnswer, { type: 'passed' }> {
  if (outcome.type === 'late') throw new EngineRefusal('missing', `its driver hangs: ${outcome.why}`)
  if (outcome.type === 'died') throw new EngineRefusal('missing', reportLine(`its driver crashed the probe (${outcome.how})`, outcome.stderr))
  const { answer, stderr } = outcome
  if (answer.type === 'passed') return answer
  if (answer.type === 'wrong') throw new EngineRefusal('wrong', reportLine(answer.message, ''))
  const mend = stderr.includes('Found no drivers') ? ': no Vulkan driver is installed (the card maker’s, or mesa-vulkan-drivers)' : ''
  throw new EngineRefusal('missing', reportLine(`${answer.message}${mend}`, stderr))
}

const CHILD = new URL(import.meta.url.endsWith('.ts') ? './probe-child.ts' : './probe-child.js', import.meta.url)
