import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import { idBytes, shortText, u64Bytes } from './bytes.ts'
import type { FoldId } from './genesis.ts'
import type { ConsensusId, PeerName, RosterHash } from './ids.ts'
import type { SignedItem } from './items.ts'
import { isMember } from './member.ts'
import { compareText, sortedEntries } from './order.ts'
import type { MeshState, Signed } from './state.ts'
import { isExcluded } from './trust/exclusion.ts'

const ROSTER_DOMAIN = utf8ToBytes('sgs-roster/1')
const STATE_DOMAIN = utf8ToBytes('sgs-state/1')
const CONSENSUS_DOMAIN = utf8ToBytes('sgs-consensus/1')
const WEIGHTED_DOMAIN = utf8ToBytes('sgs-consensus/2')

/** SHA-256 over the ids of the newest records in peer-id order. docs/protocol.md §5.3 */
export function rosterHash(state: Pick<MeshState, 'roster'>): RosterHash {
  const hash = sha256.create().update(ROSTER_DOMAIN)
  for (const [, record] of sortedEntries(state.roster)) hash.update(idBytes(record.id))
  return bytesToHex(hash.digest()) as RosterHash
}

/** The heads that the fold takes: ready, of members that are not excluded, in peer-id order. Leavers' layers stay. docs/protocol.md §9.4 */
export function consensusHeads(state: Pick<MeshState, 'ready' | 'roster' | 'admitted' | 'exclusions' | 'epoch'>): readonly Signed<'head'>[] {
  return sortedEntries(state.ready).flatMap(([author, head]) => (isMember(state, author) && !isExcluded(state, author) ? [head] : []))
}

/**
 * SHA-256 over the fold id and (member, seq, layer) in peer-id order, and the weights where they are not all equal. docs/protocol.md §9.5
 * @param heads - one per member, any order
 * @param weights - of the heads' authors, multiples of 1/64; none: all equal
 */
export function consensusId(foldId: FoldId, heads: readonly Signed<'head'>[], weights?: ReadonlyMap<PeerName, number>): ConsensusId {
  const isWeighted = weights !== undefined && heads.some(({ value }) => (weights.get(value.author) ?? 1) !== 1)
  const hash = sha256
    .create()
    .update(isWeighted ? WEIGHTED_DOMAIN : CONSENSUS_DOMAIN)
    .update(shortText(foldId))
  for (const { value } of [...heads].sort((a, b) => compareText(a.value.author, b.value.author))) {
    hash.update(shortText(value.author)).update(u64Bytes(value.seq)).update(idBytes(value.layer))
    if (isWeighted) hash.update(u64Bytes(BigInt(Math.round((weights.get(value.author) ?? 1) * 64))))
  }
  return bytesToHex(hash.digest()) as ConsensusId
}

/** Every item of the CRDT: records, heads, claims, seals, and what trust rests on. What a node derives or alone knows is not in it. */
export function* allItems(state: MeshState): Generator<SignedItem> {
  for (const field of ['roster', 'heads', 'claims', 'seals', 'proofs', 'equivocations', 'ops', 'receipts', 'votes'] as const)
    yield* state[field].values()
}

/** 32 bytes that are equal where, and only where, two nodes hold the same items. docs/protocol.md §5.4 */
export function stateDigest(state: MeshState): Uint8Array {
  const ids = Array.from(allItems(state), (item) => item.id).sort(compareText)
  const hash = sha256.create().update(STATE_DOMAIN)
  for (const id of ids) hash.update(idBytes(id))
  return hash.digest()
}
