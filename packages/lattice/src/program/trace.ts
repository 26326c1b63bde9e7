import type { Converged } from '../converge.ts'
import type { LatticeMatrices } from '../csr.ts'
import { type RowScales, rowScales, squaredDistance, stepPublished, stepStable } from '../step.ts'
import { type EnergyForm, fieldOf } from './energy.ts'
import type { ProgramRule } from './program.ts'

/** What one step did. */
export interface TraceStep {
  /** Steps so far; 0 = the start, before any. */
  readonly step: number
  /** ‖s' − s‖₂; 0 for the start. */
  readonly moved: number
  /** max|s' − s|; 0 for the start. In the stable profile it falls by the factor 1 − λ + α + β or better, whatever the lattice. */
  readonly greatestMove: number
  /** Energy after it, where it was asked for. */
  readonly energy: number | undefined
}

export interface TraceOptions {
  readonly rule: ProgramRule
  readonly teacher: Float32Array | undefined
  readonly maxSteps: number
  /** Settled when ‖s' − s‖₂ falls below; 0: never. */
  readonly tolerance: number
  /** `rowScales` of the matrices and a stable rule, when the caller keeps them. */
  readonly scales?: RowScales
  /** Whose energy every state is given; undefined: none. */
  readonly energy?: EnergyForm | undefined
}

/** `converge`, one step at a time, to the same bits: yields the start and each step, and returns where it came to rest. */
export function* trace(w: LatticeMatrices, s0: Float32Array, options: TraceOptions): Generator<TraceStep, Converged> {
  const { rule, teacher, maxSteps, tolerance, energy } = options
  const advance = stepper(w, options)
  const field = energy === undefined ? undefined : fieldOf(w, rule, teacher)
  const energyOf = (s: Float32Array): number | undefined => (energy === undefined || field === undefined ? undefined : energy.of(s, field))
  const settled = tolerance * tolerance
  let s = s0.slice()
  let next = new Float32Array(s.length)
  yield { step: 0, moved: 0, greatestMove: 0, energy: energyOf(s) }
  for (let step = 1; step <= maxSteps; step++) {
    advance(s, next)
    const squared = squaredDistance(s, next)
    const greatestMove = greatestGap(s, next)
    ;[s, next] = [next, s]
    yield { step, moved: Math.sqrt(squared), greatestMove, energy: energyOf(s) }
    if (squared < settled) return { s, steps: step, converged: true }
  }
  return { s, steps: maxSteps, converged: false }
}

function stepper(w: LatticeMatrices, { rule, teacher, scales }: TraceOptions): (s: Float32Array, out: Float32Array) => void {
  if (rule.profile === 'published') return (s, out) => stepPublished(w, s, teacher, rule.params, out)
  const rows = scales ?? rowScales(w, rule.params)
  return (s, out) => stepStable(w, rows, s, teacher, rule.params, out)
}

function greatestGap(a: Float32Array, b: Float32Array): number {
  let greatest = 0
  for (let row = 0; row < a.length; row++) greatest = Math.max(greatest, Math.abs(b[row]! - a[row]!))
  return greatest
}
