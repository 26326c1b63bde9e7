import { utf8ToBytes } from '@noble/hashes/utils.js'
import type { Csr, LatticeMatrices } from '@sgsd/lattice'
import type { LayerId, PeerName } from './ids.ts'
import { MAX_ROW_EDGES } from './limits.ts'
import { littleEndianBytes } from './little-endian.ts'
import { compareText } from './order.ts'
import { RowAccumulator } from './row-accumulator.ts'
import type { RowBlock } from './row-block.ts'

/** One member's head, as a fold takes it. @typeParam B - what its blocks hold */
export interface FoldMember<B = RowBlock> {
  readonly peer: PeerName
  readonly seq: bigint
  readonly layer: LayerId
  /** Income; what is not finite and positive counts as 0. */
  readonly weight: number
  /** At most one per radical, so at most one row of each id; each has passed `checkRows` or `checkEvidence`. */
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

/**
 * The fold `mean/1`: a pure function of the *set* of members. docs/protocol.md §9.3
 *
 * Let O(r) be the members that hold row r. If it is empty, the row is the base row. Otherwise Wτ[r] = Σ wᵢ·Wτᵢ[r] / Σ wᵢ over O(r), where an edge that
 * an owner lacks counts as 0 (all wᵢ = 1 where their sum is 0), and Wρ[r] = max over O(r). Sums run in peer-id order in double precision and are rounded
 * to f32 once. Edges of weight 0 are no edges; of more than 64 the heaviest stay, of equal ones the lower columns. s is the weighted mean over all
 * members.
 *
 * @param base, baseState - the hanzi kernel's own lattice and cover: what stands where nobody holds anything
 * @param members - any order; of two entries for one peer the higher (seq, layer) counts
 * @throws RangeError if a state or a row does not fit the lattice (a bug: such a layer is refused when it is loaded)
 */
export function foldLattice(base: LatticeMatrices, baseState: Float32Array, members: readonly FoldMember[]): Folded {
  const order = newestMembers(members)
  const weights = scaled(order)
  for (const { state } of [{ state: baseState }, ...order]) {
    if (state.length !== base.tau.rows) throw new RangeError(`a state of ${state.length} entries does not fit a lattice of ${base.tau.rows} rows`)
  }
  const owners = ownersOf(base.tau.rows, order, weights)
  const row = new RowAccumulator(base.tau.rows)
  const tau = foldMatrix(base.tau, owners, owners.blocks.map(tauOf), row, meanRow)
  const rho = foldMatrix(base.rho, owners, owners.blocks.map(rhoOf), row, maxRow)
  return {
    matrices: { tau, rho },
    state: foldStates(baseState, order, weights),
    rows: owners.held,
    nnz: tau.cols.length + rho.cols.length,
  }
}

/** What the fold digest hashes: the matrices and the state as little-endian bytes. docs/protocol.md §9.6 */
export function* foldBytes({ matrices: { tau, rho }, state }: Pick<Folded, 'matrices' | 'state'>): Generator<Uint8Array> {
  yield FOLD_DOMAIN
  for (const array of [Uint32Array.of(tau.rows), tau.ptr, tau.cols, tau.vals, rho.ptr, rho.cols, rho.vals, state]) yield littleEndianBytes(array)
}

/** Who holds which row. The owners of row r stand at `ptr[r]` … `ptr[r + 1]`, in member order. */
interface Owners {
  readonly ptr: Uint32Array
  /** Index into `blocks`, and row within that block. */
  readonly block: Uint32Array
  readonly at: Uint32Array
  readonly blocks: readonly RowBlock[]
  /** Weight of each block's member. */
  readonly weights: Float64Array
  /** Rows with at least one owner. */
  readonly held: number
}

type BlockRows = Pick<Csr, 'ptr' | 'cols' | 'vals'>

/** Puts the owners `from` … `to` of a row into the accumulator. @returns the divisor */
type RowRule = (row: RowAccumulator, owners: Owners, blocks: readonly BlockRows[], from: number, to: number) => number

function meanRow(row: RowAccumulator, owners: Owners, blocks: readonly BlockRows[], from: number, to: number): number {
  let total = 0
  for (let i = from; i < to; i++) total += owners.weights[owners.block[i]!]!
  for (let i = from; i < to; i++) {
    const { ptr, cols, vals } = blocks[owners.block[i]!]!
    const r = owners.at[i]!
    row.add(cols, vals, ptr[r]!, ptr[r + 1]!, total > 0 ? owners.weights[owners.block[i]!]! : 1)
  }
  return total > 0 ? total : to - from
}

function maxRow(row: RowAccumulator, owners: Owners, blocks: readonly BlockRows[], from: number, to: number): number {
  for (let i = from; i < to; i++) {
    const { ptr, cols, vals } = blocks[owners.block[i]!]!
    const r = owners.at[i]!
    row.max(cols, vals, ptr[r]!, ptr[r + 1]!)
  }
  return 1
}

function foldMatrix(base: Csr, owners: Owners, blocks: readonly BlockRows[], row: RowAccumulator, rule: RowRule): Csr {
  const { rows } = base
  const room = upperBound(base, owners, blocks)
  const ptr = new Uint32Array(rows + 1)
  const cols = new Uint32Array(room)
  const vals = new Float32Array(room)
  let end = 0
  for (let r = 0; r < rows; r++) {
    const from = owners.ptr[r]!
    const to = owners.ptr[r + 1]!
    if (from < to) {
      end = row.flush(rule(row, owners, blocks, from, to), cols, vals, end)
    } else {
      for (let e = base.ptr[r]!; e < base.ptr[r + 1]!; e++) {
        cols[end] = base.cols[e]!
        vals[end++] = base.vals[e]!
      }
    }
    ptr[r + 1] = end
  }
  return { rows, ptr, cols: cols.slice(0, end), vals: vals.slice(0, end) }
}

/** Edges that the folded matrix has at most. */
function upperBound(base: Csr, owners: Owners, blocks: readonly BlockRows[]): number {
  let room = 0
  for (let r = 0; r < base.rows; r++) {
    const from = owners.ptr[r]!
    const to = owners.ptr[r + 1]!
    let edges = 0
    for (let i = from; i < to; i++) {
      const { ptr } = blocks[owners.block[i]!]!
      edges += ptr[owners.at[i]! + 1]! - ptr[owners.at[i]!]!
    }
    room += from < to ? Math.min(edges, MAX_ROW_EDGES) : base.ptr[r + 1]! - base.ptr[r]!
  }
  return room
}

function ownersOf(rows: number, members: readonly FoldMember[], memberWeights: Float64Array): Owners {
  const blocks = members.flatMap((member) => member.blocks)
  const weights = Float64Array.from(members.flatMap((member, m) => member.blocks.map(() => memberWeights[m]!)))
  const ptr = new Uint32Array(rows + 1)
  for (const { rowIds } of blocks) {
    for (const r of rowIds) {
      if (r >= rows) throw new RangeError(`row ${r} does not fit a lattice of ${rows} rows`)
      ptr[r + 1]! += 1
    }
  }
  let held = 0
  for (let r = 0; r < rows; r++) {
    if (ptr[r + 1]! > 0) held++
    ptr[r + 1]! += ptr[r]!
  }
  const next = ptr.slice(0, rows)
  const block = new Uint32Array(ptr[rows]!)
  const at = new Uint32Array(ptr[rows]!)
  for (const [b, { rowIds }] of blocks.entries()) {
    for (let i = 0; i < rowIds.length; i++) {
      const slot = next[rowIds[i]!]!++
      block[slot] = b
      at[slot] = i
    }
  }
  return { ptr, block, at, blocks, weights, held }
}

function foldStates(baseState: Float32Array, members: readonly FoldMember[], weights: Float64Array): Float32Array {
  if (members.length === 0) return baseState.slice()
  const total = weights.reduce((a, b) => a + b, 0)
  const sums = new Float64Array(baseState.length)
  for (const [m, { state }] of members.entries()) {
    const weight = total > 0 ? weights[m]! : 1
    for (let i = 0; i < sums.length; i++) sums[i]! += weight * state[i]!
  }
  return Float32Array.from(sums, (value) => value / (total > 0 ? total : members.length))
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
function scaled(members: readonly FoldMember[]): Float64Array {
  const weights = Float64Array.from(members, ({ weight }) => (weight > 0 && Number.isFinite(weight) ? weight : 0))
  const greatest = weights.reduce((a, b) => Math.max(a, b), 0)
  return greatest > 0 ? weights.map((weight) => weight / greatest) : weights
}

function tauOf({ tauPtr, tauCols, tauVals }: RowBlock): BlockRows {
  return { ptr: tauPtr, cols: tauCols, vals: tauVals }
}

function rhoOf({ rhoPtr, rhoCols, rhoVals }: RowBlock): BlockRows {
  return { ptr: rhoPtr, cols: rhoCols, vals: rhoVals }
}
