import type { LatticeMatrices } from './csr.ts'
import { GATES, type Gate } from './gate.ts'
import type { HanziKernel } from './hanzi-kernel.ts'

/** Token-id sets of rows, compressed by rows; ids below `tokens`, distinct within a row. */
export interface TokenSets {
  readonly tokens: number
  /** Rows + 1 offsets into `ids`. */
  readonly ptr: Uint32Array
  readonly ids: Uint32Array
}

/**
 * The lattice of the kernel's defined characters. With A and B the exact token sets of characters u and v, u ≠ v, the edge u → v stands in row u, column v, when
 * τ = |A ∩ B| / |B| and ρ = |A ∖ B| / |B| pass the gate. Wτ and Wρ hold the same edges, with τ and ρ as weights; ρ may be 0 (A is part of B) and is then stored.
 * A row of Wτ gathers the activation of the characters whose tokens u covers, the same row of Wρ what speaks against them.
 */
export function buildLattice(kernel: HanziKernel, gate: Gate = GATES.default): LatticeMatrices {
  return joinSets(tokenSets(kernel), gate)
}

/** Token sets of the defined characters; ids in order of first appearance. */
export function tokenSets(kernel: HanziKernel): TokenSets {
  const ids = new Map<string, number>()
  const ptr = new Uint32Array(kernel.definedCount + 1)
  const all: number[] = []
  for (let row = 0; row < kernel.definedCount; row++) {
    for (const token of kernel.tokensOf(row)) {
      let id = ids.get(token)
      if (id === undefined) ids.set(token, (id = ids.size))
      all.push(id)
    }
    ptr[row + 1] = all.length
  }
  return { tokens: ids.size, ptr, ids: Uint32Array.from(all) }
}

/**
 * Joins sets through an inverted index (Gustavson's sparse product): for each row, walk the rows that share a token and count. Only pairs that share one are seen.
 * Deterministic: the result is a function of the sets' contents, whatever the ids are.
 */
export function joinSets(sets: TokenSets, gate: Gate): LatticeMatrices {
  const rows = sets.ptr.length - 1
  const index = invert(sets)
  const sizes = Uint32Array.from({ length: rows }, (_, row) => sets.ptr[row + 1]! - sets.ptr[row]!)
  const shared = new Uint32Array(rows)
  const touched = new Uint32Array(rows)
  const ptr = new Uint32Array(rows + 1)
  let cols = new Uint32Array(rows * 16)
  let tau = new Float32Array(rows * 16)
  let rho = new Float32Array(rows * 16)
  let edges = 0
  const kept: number[] = []
  for (let row = 0; row < rows; row++) {
    const size = sizes[row]!
    const count = shareCounts(row, sets, index, shared, touched)
    kept.length = 0
    for (let k = 0; k < count; k++) {
      const other = touched[k]!
      const both = shared[other]!
      const otherSize = sizes[other]!
      if (other !== row && both / otherSize >= gate.tau && (size - both) / otherSize <= gate.rho) kept.push(other)
    }
    if (kept.length > gate.perRow) {
      kept.sort((a, b) => better(a, b, size, shared, sizes))
      kept.length = gate.perRow
    }
    kept.sort((a, b) => a - b)
    if (edges + kept.length > cols.length) {
      cols = grown(cols, new Uint32Array(cols.length * 2 + kept.length))
      tau = grown(tau, new Float32Array(tau.length * 2 + kept.length))
      rho = grown(rho, new Float32Array(rho.length * 2 + kept.length))
    }
    for (const other of kept) {
      cols[edges] = other
      tau[edges] = shared[other]! / sizes[other]!
      rho[edges++] = Math.min(1, (size - shared[other]!) / sizes[other]!)
    }
    ptr[row + 1] = edges
    for (let k = 0; k < count; k++) shared[touched[k]!] = 0
  }
  const columns = cols.slice(0, edges)
  return {
    tau: { rows, ptr, cols: columns, vals: tau.slice(0, edges) },
    rho: { rows, ptr, cols: columns, vals: rho.slice(0, edges) },
  }
}

/** Counts the tokens that each other row shares with `row`. @returns how many entries of `touched` are filled */
function shareCounts(row: number, sets: TokenSets, index: Index, shared: Uint32Array, touched: Uint32Array): number {
  let count = 0
  for (let at = sets.ptr[row]!; at < sets.ptr[row + 1]!; at++) {
    const token = sets.ids[at]!
    const end = index.ptr[token + 1]!
    for (let k = index.ptr[token]!; k < end; k++) {
      const other = index.rows[k]!
      if (shared[other]!++ === 0) touched[count++] = other
    }
  }
  return count
}

/** Order of edges of one row, best first. Both quotients are compared crosswise in whole numbers, so no rounding can tie or reorder them. */
function better(a: number, b: number, size: number, shared: Uint32Array, sizes: Uint32Array): number {
  const sharedA = shared[a]!
  const sharedB = shared[b]!
  const sizeA = sizes[a]!
  const sizeB = sizes[b]!
  return sharedB * sizeA - sharedA * sizeB || (size - sharedA) * sizeB - (size - sharedB) * sizeA || a - b
}

interface Index {
  readonly ptr: Uint32Array
  readonly rows: Uint32Array
}

/** Rows of each token, ascending. */
function invert(sets: TokenSets): Index {
  const ptr = new Uint32Array(sets.tokens + 1)
  for (const token of sets.ids) ptr[token + 1]!++
  for (let token = 0; token < sets.tokens; token++) ptr[token + 1]! += ptr[token]!
  const next = ptr.slice()
  const rows = new Uint32Array(sets.ids.length)
  for (let row = 0; row + 1 < sets.ptr.length; row++) {
    for (let at = sets.ptr[row]!; at < sets.ptr[row + 1]!; at++) rows[next[sets.ids[at]!]!++] = row
  }
  return { ptr, rows }
}

function grown<T extends Uint32Array | Float32Array>(from: T, to: T): T {
  to.set(from)
  return to
}
