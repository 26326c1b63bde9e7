import { WorkerLink } from '../worker/worker-link.ts'
import type { ClaimCalls } from './claim-calls.ts'
import type { ClaimCompute } from './port.ts'

/** Heap of the worker, MB: it holds next to nothing. */
const HEAP = { youngMb: 2, oldMb: 32 } as const

const WORKER = new URL(import.meta.url.endsWith('.ts') ? './claim-worker.ts' : './claim-worker.js', import.meta.url)

/** Starts the thread that hashes claims. */
export function openClaimCompute(): ClaimCompute {
  const link = new WorkerLink<ClaimCalls>({ url: WORKER, name: 'claims', data: {}, heap: HEAP })
  const close = (): Promise<void> => link.close()
  return {
    root: (context, values) => link.call('root', context, new Uint8Array(values.buffer, values.byteOffset, values.byteLength)),
    close,
    [Symbol.asyncDispose]: close,
  }
}
