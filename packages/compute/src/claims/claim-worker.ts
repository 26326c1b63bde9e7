// Thread that hashes claims.
import { parentPort, workerData } from 'node:worker_threads'
import { serveCalls } from '../worker/worker-host.ts'
import type { ClaimCalls } from './claim-calls.ts'
import { merkleRoots } from './wasm-merkle.ts'

const rootOf = merkleRoots()

const calls: ClaimCalls = {
  root: (context, bytes) => rootOf(context, new BigUint64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / BigUint64Array.BYTES_PER_ELEMENT)),
}

if (parentPort === null) throw new Error('the claim worker was started outside a worker thread')
serveCalls(parentPort, calls, (workerData as { readonly stop: Int32Array }).stop, async () => {})
