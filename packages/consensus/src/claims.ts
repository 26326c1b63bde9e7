import type { BlockId, RosterHash } from './ids.ts'
import type { ChunkRun, Claim } from './items.ts'
import { rosterHash } from './digests.ts'
import { MAX_CLAIMS_PER_EPOCH } from './limits.ts'
import { claimRoot } from './merkle.ts'
import type { MeshState } from './state.ts'

/** XOR of u64 values; 0 of none. @param from, count - the part to take, default all */
export function xorOf(values: BigUint64Array, from = 0, count: number = values.length - from): bigint {
  const halves = new Uint32Array(values.buffer, values.byteOffset + from * 8, count * 2)
  let even = 0
  let odd = 0
  for (let i = 0; i < halves.length; i += 2) {
    even ^= halves[i]!
    odd ^= halves[i + 1]!
  }
  return new BigUint64Array(Uint32Array.of(even, odd).buffer)[0]!
}

/** Root of a claim, computed under this roster hash: hashing many leaves is left to a worker. */
export interface HashedRun {
  readonly rosterHash: RosterHash
  readonly root: string
}

/**
 * This node's claim over a run, of the current epoch unless the run names another, under its next free index; not yet signed.
 * @param values - one per chunk of the run
 * @param leaves - the block that holds the values
 * @param hashed - `claimRoot` of the values where it is known already
 * @throws RangeError if there are not `run.count` values or no index is left (`nextWork` hands out nothing then)
 */
export function draftClaim(
  state: MeshState,
  { start, count, epoch = state.epoch }: ChunkRun & { readonly epoch?: bigint },
  values: BigUint64Array,
  leaves: BlockId,
  hashed?: HashedRun,
): Claim {
  const index = nextClaimIndex(state, epoch)
  if (index >= MAX_CLAIMS_PER_EPOCH) throw new RangeError(`epoch ${epoch} already has ${index} claims of this member`)
  const draft = {
    author: state.self,
    epoch,
    index,
    rosterHash: hashed?.rosterHash ?? rosterHash(state),
    run: { start, count },
    xor: xorOf(values),
    leaves,
  }
  return { ...draft, root: hashed?.root ?? claimRoot({ meshId: state.meshId, ...draft }, values) }
}

/**
 * Checks chunk values against a claim's count, XOR and Merkle root. docs/protocol.md §7.3
 * @param root - `claimRoot` of the values where it is known already
 * @returns what is wrong, or undefined
 */
export function checkLeaves(state: Pick<MeshState, 'meshId'>, claim: Claim, values: BigUint64Array, root?: string): string | undefined {
  if (values.length !== claim.run.count) return `the claim covers ${claim.run.count} chunks, its leaves hold ${values.length} values`
  if (xorOf(values) !== claim.xor) return 'the XOR of the leaves is not the one claimed'
  if ((root ?? claimRoot({ meshId: state.meshId, ...claim }, values)) !== claim.root) return 'the Merkle root of the leaves is not the one claimed'
  return undefined
}

/** One more than the highest index of this node's claims in an epoch, the current one if none is named. */
export function nextClaimIndex(state: MeshState, epoch: bigint = state.epoch): number {
  let next = 0
  for (const { value } of state.claims.values()) {
    if (value.epoch === epoch && value.author === state.self && value.index >= next) next = value.index + 1
  }
  return next
}
