import type { ClaimContext } from '@sgsd/consensus'

/** Merkle roots of claims, off the main thread: a claim has up to 16,384 leaves. */
export interface ClaimCompute extends AsyncDisposable {
  /** Equal to `claimRoot`. The values are copied. @throws ComputeError WORKER_CRASHED | CLOSED */
  root(context: ClaimContext, values: BigUint64Array): Promise<string>
  close(): Promise<void>
}
