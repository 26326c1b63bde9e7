import type { LatticeMatrices } from './csr.ts'
import {
  PUBLISHED,
  type PublishedParams,
  type RowScales,
  rowScales,
  squaredDistance,
  STABLE,
  type StableParams,
  stepPublished,
  stepStable,
} from './step.ts'

export interface ConvergeOptions {
  /** Step rule with its parameters; `stable` unless said. */
  readonly rule?:
    | { readonly profile: 'stable'; readonly params?: StableParams }
    | { readonly profile: 'published'; readonly params?: PublishedParams }
  /** Target state, held fixed on the way. */
  readonly teacher?: Float32Array
  /** `rowScales` of the matrices and the rule's parameters, when the caller keeps them; only the stable rule needs them. */
  readonly scales?: RowScales
  readonly maxSteps?: number
  /** Settled when ‖s' − s‖₂ falls below. */
  readonly tolerance?: number
}

export interface Converged {
  /** The last state; never the caller's s0. */
  readonly s: Float32Array
  /** Steps taken. */
  readonly steps: number
  /** Whether the tolerance was met within maxSteps. */
  readonly converged: boolean
}

export const DEFAULT_TOLERANCE = 1e-3

/** The stable rule moves by at most 0.75 of the step before, entry by entry: from 1 to below 10⁻³ in 25 steps; the rest is for states with many entries. */
export const DEFAULT_MAX_STEPS = 64

/** Every entry of the state that the published rule starts from. */
export const PUBLISHED_START = 0.5

/** Steps from s0 until the state settles or maxSteps is reached. Pure: equal arguments give equal bits. */
export function converge(w: LatticeMatrices, s0: Float32Array, options: ConvergeOptions = {}): Converged {
  const maxSteps = options.maxSteps ?? DEFAULT_MAX_STEPS
  const tolerance = options.tolerance ?? DEFAULT_TOLERANCE
  const settled = tolerance * tolerance
  const advance = stepper(w, options)
  let s = s0.slice()
  let next = new Float32Array(s.length)
  for (let steps = 1; steps <= maxSteps; steps++) {
    advance(s, next)
    const moved = squaredDistance(s, next)
    ;[s, next] = [next, s]
    if (moved < settled) return { s, steps, converged: true }
  }
  return { s, steps: maxSteps, converged: false }
}

function stepper(w: LatticeMatrices, { rule, teacher, scales }: ConvergeOptions): (s: Float32Array, out: Float32Array) => void {
  if (rule?.profile === 'published') {
    const params = rule.params ?? PUBLISHED
    return (s, out) => stepPublished(w, s, teacher, params, out)
  }
  const params = rule?.params ?? STABLE
  const rows = scales ?? rowScales(w, params)
  return (s, out) => stepStable(w, rows, s, teacher, params, out)
}
