import { ComputeError } from '../compute-error.ts'
import { canaryFault } from './canary.ts'
import type { JoinKernel } from './kernel.ts'
import { loadNativeKernel } from './native-kernel.ts'
import type { JoinEngineName, JoinEngineReport } from './port.ts'
import { loadReferenceKernel } from './reference-kernel.ts'
import { loadWasmKernel } from './wasm-kernel.ts'

export interface KernelChoice {
  readonly kernel: JoinKernel
  readonly reports: readonly JoinEngineReport[]
}

export type KernelLoaders = Readonly<Record<JoinEngineName, () => JoinKernel>>

const LOADERS: KernelLoaders = { native: loadNativeKernel, wasm: loadWasmKernel, reference: loadReferenceKernel }

/** The fastest first: on every machine tried C is faster than WebAssembly, and that than counting the whole index. */
export const JOIN_ENGINES: readonly JoinEngineName[] = ['native', 'wasm', 'reference']

/**
 * The fastest kernel that loads and answers the canary as the reference does.
 * @param only - this one or none
 * @throws ComputeError NO_ENGINE
 */
export function chooseKernel(only?: JoinEngineName, loaders: KernelLoaders = LOADERS): KernelChoice {
  const reports: JoinEngineReport[] = []
  let active: JoinKernel | undefined
  for (const engine of only === undefined ? JOIN_ENGINES : [only]) {
    try {
      const kernel = loaders[engine]()
      const fault = engine === 'reference' ? undefined : canaryFault(kernel)
      if (fault === undefined) {
        reports.push({ engine, state: active === undefined ? 'active' : 'standby', why: kernel.about })
        active ??= kernel
      } else reports.push({ engine, state: 'wrong', why: fault })
    } catch (error) {
      reports.push({ engine, state: 'missing', why: error instanceof Error ? error.message : String(error) })
    }
  }
  if (active === undefined) throw new ComputeError('NO_ENGINE', { tried: reports.map(({ engine, why }) => `${engine}: ${why}`) })
  return { kernel: active, reports }
}
