import { isRun } from '../bounds.ts'
import { chunksOfEpoch } from '../grid.ts'
import type { MeshId, PeerName } from '../ids.ts'
import type { Proof, SignedClaim } from '../items.ts'
import { WANTED_PROOFS } from '../limits.ts'
import { checkMerklePath, merklePath } from '../merkle.ts'
import type { MeshState } from '../state.ts'

/** The author of the claim. */
export function accusedOf(proof: Proof): PeerName {
  return proof.claim.value.author
}

/**
 * A fraud proof of this node; not yet signed.
 * @param chunk - of the claim's epoch, inside its run
 * @param values - the claim's leaves, whose root is the claimed one
 * @throws RangeError for a chunk outside the run, or another number of values
 */
export function draftProof(state: Pick<MeshState, 'self' | 'meshId'>, claim: SignedClaim, chunk: number, values: BigUint64Array): Proof {
  const index = chunk - claim.value.run.start
  const path = merklePath({ meshId: state.meshId, ...claim.value }, values, index)
  return { author: state.self, claim, chunk, value: values[index]!, path }
}

const checkedProofs = new WeakMap<Proof, { readonly meshId: MeshId; readonly fault: string | undefined }>()

/**
 * What can be said of a proof without recomputing its chunk: the claim lies in the grid, the chunk in the claim, and the path leads from the value to the
 * root. The signatures were checked when the envelope was opened.
 * @returns what is wrong, or undefined
 */
export function proofFault(state: Pick<MeshState, 'meshId' | 'genesis'>, proof: Proof): string | undefined {
  const known = checkedProofs.get(proof)
  if (known?.meshId === state.meshId) return known.fault
  const fault = findFault(state, proof)
  checkedProofs.set(proof, { meshId: state.meshId, fault })
  return fault
}

/** Fewer than `WANTED_PROOFS` members have shown that this claim is wrong, this node not among them. */
export function isProofWanted(state: MeshState, claim: SignedClaim): boolean {
  const accusers = new Set<PeerName>()
  for (const { id, value } of state.proofs.values()) {
    if (value.claim.id === claim.id && state.verdicts.get(id) !== 'false') accusers.add(value.author)
  }
  return accusers.size < WANTED_PROOFS && !accusers.has(state.self)
}

function findFault({ meshId, genesis }: Pick<MeshState, 'meshId' | 'genesis'>, { claim, chunk, value, path }: Proof): string | undefined {
  const { run, root } = claim.value
  if (!isRun(run, chunksOfEpoch(genesis))) return 'the claim lies outside the epoch'
  if (!(Number.isInteger(chunk) && chunk >= run.start && chunk < run.start + run.count)) return 'the chunk is not in the claim'
  const leads = checkMerklePath({ meshId, ...claim.value }, chunk - run.start, value, path, root)
  return leads ? undefined : 'the path does not lead to the root of the claim'
}
