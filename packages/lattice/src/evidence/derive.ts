import type { Csr, LatticeMatrices } from '../csr.ts'
import { type EvidenceCsr, EVIDENCE_UNIT } from './counts.ts'
import { ln } from './ln.ts'

/**
 * Constants of the derivation and its readout. They are part of the fold `evidence/1`: other values are another fold id. Masses are in observations: what
 * one pair of characters in two adjacent lines is worth. docs/protocol.md §9.7; docs/learning.md has how they were found.
 */
export interface EvidenceParams {
  /** A pair that neither way counts more, in units of 1/256, has no edge: a single glimpse from afar. It halves the edges. */
  readonly prune: number
  /** κ: observations added to both sides of the ratio of seen to expected. */
  readonly smoothing: number
  /** A pair of mass m counts m/(m + shrink) of its mutual information. */
  readonly shrink: number
  /** Share of the mean mass that damps the gain of characters that are seldom in a line. */
  readonly gainFloor: number
  /** μ and ν: strength of the background in the language-model half, by the share of a row, and by what chance would have made of the pair. */
  readonly background: number
  readonly chance: number
  /** Nats that stand for weight 1. */
  readonly nats: number
  /** State per nat: room for the prior of a large text and for what a line adds, within [0, 1]. */
  readonly statePerNat: number
  /** Mass that a character gathers at each occurrence in verse, in observations. */
  readonly occurrence: number
  /** Share of the base lattice's weight that a row keeps which nobody has counted, once anything is counted: below every prior. */
  readonly uncounted: number
  /** Readout: weight of the mean of Wτ, and of Wρ, over the characters of a line: statePerNat · 3.5 · nats. */
  readonly alpha: number
  readonly beta: number
}

export const EVIDENCE: EvidenceParams = {
  prune: EVIDENCE_UNIT / 4,
  smoothing: 0.1,
  shrink: 5,
  gainFloor: 0.05,
  background: 1_000,
  chance: 0.3,
  nats: 8,
  statePerNat: 1 / 32,
  occurrence: 12,
  uncounted: 1 / 64,
  alpha: 0.875,
  beta: 0.875,
}

/** Matrices and state that follow from counts. */
export interface Derived {
  readonly matrices: LatticeMatrices
  /** Prior activation: how much a character was seen, on a logarithmic scale, in [0, 1]; 0 for one that was not. */
  readonly state: Float32Array
}

/**
 * The lattice that counts stand for, a pure function of them. For a character v of a next line (row) and one u of the line (column), with C the counts:
 *
 *     m = (2·C[v][u] + C[u][v]) / 512            mass of the pair in observations: what follows, and half of what precedes
 *     r[u] = Σ m over v, c[v] = Σ m over u, T = Σ m, E = r[u]·c[v]/T
 *     g[u] = 1/(r[u]/r̄ + gainFloor)^⅛, r̄ the mean of r over rows of mass, Z = Σ g·r / T
 *     pmi = ln((m + κ)/(E + κ)) · m/(m + shrink) · g[u]/Z         what the pair has above chance
 *     lm  = ln(1 + m/(μ·c[v]/T + ν·E))                            what a language model with a background would say
 *     w   = (pmi + lm)/2/nats
 *     Wτ[v][u] = f32(min(1, w)) where w > 0,   Wρ[v][u] = f32(min(1, −w)) where w < 0
 *     s[v] = f32(min(1, statePerNat · (1 + ln(1 + c[v]/occurrence)))) where c[v] > 0
 *
 * in binary64, in the order of the code, with `ln` of this package; edges whose f32 is 0 are none, nor are those of pairs below `prune`, whose masses
 * count nevertheless. Row v of a character without mass is the base row times `uncounted`, its s is 0; where nobody has counted anything, all is the base.
 * @param base - the hanzi kernel's own lattice, of as many rows
 */
export function derive(counts: EvidenceCsr, base: LatticeMatrices, params: EvidenceParams = EVIDENCE): Derived {
  const { rows } = counts
  const masses = massesOf(counts)
  if (masses.total === 0) return { matrices: base, state: new Float32Array(rows) }
  const gains = gainsOf(masses, params)
  const preceding = transposed(counts)
  const tau = new RowWriter(rows)
  const rho = new RowWriter(rows)
  for (let v = 0; v < rows; v++) {
    const c = masses.target[v]!
    if (c === 0) {
      tau.copy(v, base.tau, params.uncounted)
      rho.copy(v, base.rho, params.uncounted)
      continue
    }
    const share = c / masses.total
    let e = counts.ptr[v]!
    let p = preceding.ptr[v]!
    const end = counts.ptr[v + 1]!
    const stop = preceding.ptr[v + 1]!
    while (e < end || p < stop) {
      const mine = e < end ? counts.cols[e]! : rows
      const other = p < stop ? preceding.cols[p]! : rows
      const u = mine < other ? mine : other
      const follows = mine === u ? counts.counts[e++]! : 0
      const precedes = other === u ? preceding.counts[p++]! : 0
      if (follows <= params.prune && precedes <= params.prune) continue
      const m = (2 * follows + precedes) / (2 * EVIDENCE_UNIT)
      const expected = masses.source[u]! * share
      const pmi = ln((m + params.smoothing) / (expected + params.smoothing)) * (m / (m + params.shrink)) * gains[u]!
      const model = ln(1 + m / (params.background * share + params.chance * expected))
      const w = (0.5 * (pmi + model)) / params.nats
      if (w > 0) tau.add(u, w)
      else rho.add(u, -w)
    }
    tau.end(v)
    rho.end(v)
  }
  return { matrices: { tau: tau.csr(), rho: rho.csr() }, state: priorOf(masses, params) }
}

/** The state of `derive`, from the counts alone. */
export function priorState(counts: EvidenceCsr, params: EvidenceParams = EVIDENCE): Float32Array {
  return priorOf(massesOf(counts), params)
}

/** Sums of masses in observations: r by column u, c by row v, T. Whole numbers of 1/512, exact below 2^53 of them. */
interface Masses {
  readonly source: Float64Array
  readonly target: Float64Array
  readonly total: number
}

function massesOf({ rows, ptr, cols, counts }: EvidenceCsr): Masses {
  const byRow = new Float64Array(rows)
  const byColumn = new Float64Array(rows)
  let total = 0
  for (let v = 0; v < rows; v++) {
    let sum = 0
    for (let e = ptr[v]!; e < ptr[v + 1]!; e++) {
      sum += counts[e]!
      byColumn[cols[e]!]! += counts[e]!
    }
    byRow[v] = sum
    total += sum
  }
  const observations = (units: number): number => units / (2 * EVIDENCE_UNIT)
  return {
    source: byRow.map((row, x) => observations(2 * byColumn[x]! + row)),
    target: byRow.map((row, x) => observations(2 * row + byColumn[x]!)),
    total: observations(3 * total),
  }
}

/** g[u]/Z: what is seldom in a line says more of the next one. The mean over the masses is 1. */
function gainsOf({ source, total }: Masses, { gainFloor }: EvidenceParams): Float64Array {
  let seen = 0
  for (const mass of source) if (mass > 0) seen++
  const mean = total / seen
  const gains = source.map((mass) => 1 / Math.sqrt(Math.sqrt(Math.sqrt(mass / mean + gainFloor))))
  let sum = 0
  for (let u = 0; u < source.length; u++) sum += gains[u]! * source[u]!
  const z = sum / total
  return gains.map((gain) => gain / z)
}

function priorOf({ target }: Masses, { statePerNat, occurrence }: EvidenceParams): Float32Array {
  return Float32Array.from(target, (mass) => (mass === 0 ? 0 : Math.min(1, statePerNat * (1 + ln(1 + mass / occurrence)))))
}

/** C by columns: row u of the result has C[u'][u] … of every u' that u stood before. */
function transposed({ rows, ptr, cols, counts }: EvidenceCsr): { ptr: Uint32Array; cols: Uint32Array; counts: Float64Array } {
  const starts = new Uint32Array(rows + 1)
  for (const column of cols) starts[column + 1]!++
  for (let column = 0; column < rows; column++) starts[column + 1]! += starts[column]!
  const next = starts.slice(0, rows)
  const at = new Uint32Array(cols.length)
  const values = new Float64Array(cols.length)
  for (let v = 0; v < rows; v++) {
    for (let e = ptr[v]!; e < ptr[v + 1]!; e++) {
      const slot = next[cols[e]!]!++
      at[slot] = v
      values[slot] = counts[e]!
    }
  }
  return { ptr: starts, cols: at, counts: values }
}

/** A matrix written row by row. */
class RowWriter {
  readonly #ptr: Uint32Array
  #cols = new Uint32Array(1 << 16)
  #vals = new Float32Array(1 << 16)
  #end = 0

  constructor(rows: number) {
    this.#ptr = new Uint32Array(rows + 1)
  }

  /** Adds an edge; one whose f32 is 0 is none. */
  add(column: number, weight: number): void {
    if (this.#end === this.#cols.length) this.#grow()
    const value = Math.fround(weight < 1 ? weight : 1)
    this.#cols[this.#end] = column
    this.#vals[this.#end] = value
    if (value > 0) this.#end++
  }

  end(row: number): void {
    this.#ptr[row + 1] = this.#end
  }

  /** A row of another matrix, every weight times `factor`. */
  copy(row: number, { ptr, cols, vals }: Csr, factor: number): void {
    for (let e = ptr[row]!; e < ptr[row + 1]!; e++) this.add(cols[e]!, vals[e]! * factor)
    this.end(row)
  }

  csr(): Csr {
    return { rows: this.#ptr.length - 1, ptr: this.#ptr, cols: this.#cols.slice(0, this.#end), vals: this.#vals.slice(0, this.#end) }
  }

  #grow(): void {
    const [cols, vals] = [this.#cols, this.#vals]
    this.#cols = new Uint32Array(2 * cols.length)
    this.#vals = new Float32Array(2 * vals.length)
    this.#cols.set(cols)
    this.#vals.set(vals)
  }
}
