import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { idBytes, shortText, u64Bytes } from '../bytes.ts'
import type { MeshId, PeerName } from '../ids.ts'
import type { Seal } from '../items.ts'
import { sortedEntries } from '../order.ts'
import type { ClosedEpoch, MeshState, Signed } from '../state.ts'

const NONCE_DOMAIN = utf8ToBytes('sgs-nonce/1')
const COMMIT_DOMAIN = utf8ToBytes('sgs-commit/1')
const BEACON_DOMAIN = utf8ToBytes('sgs-beacon/1')

const NO_REVEALS: ReadonlyMap<PeerName, string> = new Map()

/**
 * The nonce that a member reveals in its seal of an epoch: SHA-256(domain ‖ secret ‖ mesh id ‖ epoch). A function of the epoch, so that a seal that is
 * written again, after a crash or a repair, reveals the same.
 * @param secret - 32 bytes that only this member knows, the same for ever
 */
export function nonceOf(meshId: MeshId, epoch: bigint, secret: Uint8Array): string {
  return bytesToHex(sha256(concatBytes(NONCE_DOMAIN, secret, idBytes(meshId), u64Bytes(epoch))))
}

/** What binds a member to a nonce before it reveals it: SHA-256(domain ‖ nonce). docs/protocol.md §7.7 */
export function commitTo(nonce: string): string {
  return bytesToHex(sha256(concatBytes(COMMIT_DOMAIN, idBytes(nonce))))
}

/**
 * This node's seal of a closed epoch; not yet signed.
 * @returns undefined when its newest seal says the same or is of a later epoch
 */
export function draftSeal(state: MeshState, { epoch, xor }: ClosedEpoch, secret: Uint8Array): Seal | undefined {
  const newest = state.seals.get(state.self)?.value
  if (newest !== undefined && (newest.epoch > epoch || (newest.epoch === epoch && newest.xor === xor))) return undefined
  return {
    author: state.self,
    epoch,
    revision: newest?.epoch === epoch ? newest.revision + 1 : 0,
    xor,
    nonce: nonceOf(state.meshId, epoch, secret),
    commit: commitTo(nonceOf(state.meshId, epoch + 1n, secret)),
  }
}

/** Does a seal open what its author committed to in the seal of the epoch before? */
export function opensCommit(seal: Seal, before: Seal): boolean {
  if (before.epoch + 1n !== seal.epoch) return false
  let commit = commits.get(seal)
  if (commit === undefined) {
    commit = commitTo(seal.nonce)
    commits.set(seal, commit)
  }
  return commit === before.commit
}

/** What the nonce of a seal opens. */
const commits = new WeakMap<Seal, string>()

/** Beacons of the reveals that they were made from; those of a state never change. */
const beacons = new WeakMap<ReadonlyMap<PeerName, string>, { readonly meshId: MeshId; readonly epoch: bigint; readonly beacon: string }>()

/**
 * The common coin of an epoch: SHA-256 over the nonces that seals of the epoch before it revealed, in peer-id order. Nobody knows it before that epoch is
 * sealed; one member can change it only by withholding its nonce. Nodes may have seen different seals, so it decides who looks where, never what is true.
 * @returns 64 hex digits; of an epoch without reveals a function of mesh and epoch alone
 */
export function beaconOf(state: Pick<MeshState, 'meshId' | 'reveals'>, epoch: bigint): string {
  const { meshId } = state
  const reveals = state.reveals.get(epoch - 1n) ?? NO_REVEALS
  const known = beacons.get(reveals)
  if (known?.meshId === meshId && known.epoch === epoch) return known.beacon
  const hash = sha256.create().update(BEACON_DOMAIN).update(idBytes(meshId)).update(u64Bytes(epoch))
  for (const [author, nonce] of sortedEntries(reveals)) hash.update(shortText(author)).update(idBytes(nonce))
  const beacon = bytesToHex(hash.digest())
  beacons.set(reveals, { meshId, epoch, beacon })
  return beacon
}

/** The author's seal that this one takes the place of, if it shows that this one's nonce was committed to. */
export function revealedBy(seal: Signed<'seal'>, dropped: readonly { readonly kind: string; readonly value: unknown }[]): boolean {
  return dropped.some((old) => old.kind === 'seal' && opensCommit(seal.value, old.value as Seal))
}
