import { type FoldKernel, REFERENCE_FOLD_KERNEL } from '@sgsd/consensus'
import type { ProviderReport } from '../port.ts'
import { foldCanaryFault } from './canary.ts'
import { loadNativeFoldKernel } from './native-fold-kernel.ts'
import { loadWasmFoldKernel } from './wasm-fold-kernel.ts'

export interface FoldKernelChoice {
  readonly kernel: FoldKernel
  readonly reports: readonly ProviderReport[]
}

/** Named ways to get a kernel; each throws an Error that says what is missing. */
export type FoldKernelLoaders = readonly (readonly [name: string, load: () => FoldKernel])[]

/** The fastest first: C is faster than WebAssembly on every machine tried, and that than JavaScript. */
const LOADERS: FoldKernelLoaders = [
  ['native', loadNativeFoldKernel],
  ['wasm', loadWasmFoldKernel],
  ['reference', () => REFERENCE_FOLD_KERNEL],
]

/** The first kernel that loads and answers the canary as the reference does, and what became of each. */
export function chooseFoldKernel(loaders: FoldKernelLoaders = LOADERS): FoldKernelChoice {
  const reports: ProviderReport[] = []
  let active: FoldKernel | undefined
  for (const [provider, load] of loaders) {
    try {
      const kernel = load()
      const fault = kernel === REFERENCE_FOLD_KERNEL ? undefined : foldCanaryFault(kernel)
      if (fault === undefined) {
        reports.push({ provider, state: active === undefined ? 'active' : 'standby', why: kernel.about })
        active ??= kernel
      } else reports.push({ provider, state: 'wrong', why: fault })
    } catch (error) {
      reports.push({ provider, state: 'missing', why: error instanceof Error ? error.message : String(error) })
    }
  }
  return { kernel: active ?? REFERENCE_FOLD_KERNEL, reports }
}
