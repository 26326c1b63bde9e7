import { utf8ToBytes } from '@noble/hashes/utils.js'
import type { LatticeMatrices } from '@sgsd/lattice'
import type { LayerId, PeerName } from './ids.ts'
import { littleEndianBytes } from './little-endian.ts'
import { compareText } from './order.ts'
import type { RowBlock } from './row-block.ts'

/** One member's head, as a fold takes it. @typeParam B - what its blocks hold */
export interface FoldMember<B = RowBlock> {
  readonly peer: PeerName
  readonly seq: bigint
  readonly layer: LayerId
  /** Income; what is not finite and positive counts as 0. */
  readonly weight: number
  /** No two with one row; each has passed `checkRows` or `checkEvidence`. */
  readonly blocks: readonly B[]
  /** Swarm state, one float in [0, 1] per lattice row. */
  readonly state: Float32Array
}

/** The consensus layer. */
export interface Folded {
  readonly matrices: LatticeMatrices
  readonly state: Float32Array
  /** Rows that at least one member holds. */
  readonly rows: number
  /** Edges of Wτ and Wρ together. */
  readonly nnz: number
}

const FOLD_DOMAIN = utf8ToBytes('sgs-fold/1')

/** What the fold digest hashes: the matrices and the state as little-endian bytes. docs/protocol.md §9.6 */
export function* foldBytes({ matrices: { tau, rho }, state }: Pick<Folded, 'matrices' | 'state'>): Generator<Uint8Array> {
  yield FOLD_DOMAIN
  for (const array of [Uint32Array.of(tau.rows), tau.ptr, tau.cols, tau.vals, rho.ptr, rho.cols, rho.vals, state]) yield littleEndianBytes(array)
}

/** Peer-id order, one entry per peer: that of the higher (seq, layer). */
export function newestMembers<M extends Pick<FoldMember, 'peer' | 'seq' | 'layer'>>(members: readonly M[]): readonly M[] {
  const newest = new Map<PeerName, M>()
  for (const member of members) {
    const held = newest.get(member.peer)
    if (held === undefined || member.seq > held.seq || (member.seq === held.seq && member.layer > held.layer)) newest.set(member.peer, member)
  }
  return [...newest.values()].sort((a, b) => compareText(a.peer, b.peer))
}

/** Weights as parts of the greatest, so that no sum overflows; 0 for what is no positive number. */
export function scaledWeights(members: readonly Pick<FoldMember, 'weight'>[]): Float64Array {
  const weights = Float64Array.from(members, ({ weight }) => (weight > 0 && Number.isFinite(weight) ? weight : 0))
  const greatest = weights.reduce((a, b) => Math.max(a, b), 0)
  return greatest > 0 ? weights.map((weight) => weight / greatest) : weights
}
