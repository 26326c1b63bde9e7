import { converge, type Csr, type LatticeMatrices } from '@sgsd/lattice'
import type { StepEngine, SwarmProfile } from './step-engine.ts'

/** Rows of the canary lattice, about those of the hanzi lattice: the canary also measures. */
const CANARY_ROWS = 20_000

/** Greatest difference of an entry that counts as binary32 rounding: 64 steps of sums of 64 products stay below 10⁻⁵. */
const ROUNDING = 5e-5

/** Runs of which the fastest counts. */
const TIMED_RUNS = 3

export interface CanaryResult {
  readonly right: boolean
  /** Greatest difference of an entry from the reference. */
  readonly largestError: number
  /** Time of one step, ms; the fastest of a few runs. */
  readonly stepMs: number
}

/** The known-answer question: a made-up lattice with rows of 0 to 64 edges, a cover and a teacher. */
export interface Canary {
  readonly matrices: LatticeMatrices
  readonly cover: Float32Array
  readonly teacher: Float32Array
}

/** The same on every machine: all of it comes from one linear congruential sequence. */
export function makeCanary(rows: number = CANARY_ROWS): Canary {
  let word = 1
  const next = (below: number): number => {
    word = (Math.imul(word, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((word / 2 ** 32) * below)
  }
  const degrees = Uint32Array.from({ length: rows }, () => (next(4) === 0 ? next(65) : next(6)))
  const matrix = (): Csr => {
    const ptr = new Uint32Array(rows + 1)
    degrees.forEach((degree, row) => (ptr[row + 1] = ptr[row]! + Math.min(degree, rows)))
    const cols = new Uint32Array(ptr[rows]!)
    const vals = new Float32Array(ptr[rows]!)
    for (let row = 0; row < rows; row++) {
      const degree = ptr[row + 1]! - ptr[row]!
      const stride = Math.max(1, Math.floor(rows / Math.max(1, degree)))
      for (let k = 0; k < degree; k++) {
        cols[ptr[row]! + k] = k * stride + next(stride)
        vals[ptr[row]! + k] = next(1_000) / 1_000
      }
    }
    return { rows, ptr, cols, vals }
  }
  const matrices = { tau: matrix(), rho: matrix() }
  const cover = new Float32Array(rows)
  const teacher = new Float32Array(rows)
  for (let k = 0; k < rows / 10; k++) {
    cover[next(rows)] = 1
    teacher[next(rows)] = next(1_000) / 1_000
  }
  return { matrices, cover, teacher }
}

/** Asks an engine the canary question and compares with the reference. Leaves the canary lattice loaded. */
export async function runCanary(engine: StepEngine, profile: SwarmProfile, canary: Canary = makeCanary()): Promise<CanaryResult> {
  const { matrices, cover, teacher } = canary
  const { params, tolerance, maxSteps } = profile
  const expected = converge(matrices, cover, { rule: { profile: 'stable', params }, teacher, tolerance, maxSteps })
  await engine.load(matrices)
  const exact = !engine.name.startsWith('onnx:')
  let largestError = 0
  let stepMs = Infinity
  let sameSteps = true
  for (let run = 0; run < TIMED_RUNS; run++) {
    const began = performance.now()
    const { state, steps } = await engine.converge(cover, teacher)
    stepMs = Math.min(stepMs, (performance.now() - began) / steps)
    sameSteps &&= steps === expected.steps && state.length === expected.s.length
    // a NaN differs from everything, so it must not be lost in a maximum
    for (let row = 0; row < expected.s.length; row++) {
      const error = Math.abs(state[row]! - expected.s[row]!)
      if (!(error <= largestError)) largestError = Number.isNaN(error) ? Infinity : error
    }
  }
  return { right: sameSteps && largestError <= (exact ? 0 : ROUNDING), largestError, stepMs }
}
