import type { PublishedParams, StableParams } from '../step.ts'

// A trajectory program as data: what `parseProgram` makes of a YAML file and what runs. The language is described in docs/trajectories.md.

/** Longest source read, bytes of UTF-8. A program of MAX_OPS ops needs less. */
export const MAX_PROGRAM_BYTES: number = 2 ** 20
/** Most ops of a program. */
export const MAX_OPS = 10_000
/** Most steps of one converge. */
export const MAX_CONVERGE_STEPS = 10_000
/** Most steps that all converges of a program take together: a few minutes on a slow machine. */
export const MAX_PROGRAM_STEPS = 100_000
/** Most characters that one op reports. */
export const MAX_TOP = 200
/** Most characters that all ops of a program report together: 30 bytes each, so about 3 MB. */
export const MAX_REPORTED = 100_000
/** Longest text of a cover or a teacher, UTF-16 code units. */
export const MAX_TEXT = 100_000
/** Most layers that one load_particles names, and most ancestors. */
export const MAX_PARTICLES = 64

/** Where something stands in its source. */
export interface Position {
  /** From 1. */
  readonly line: number
  /** From 1, in UTF-16 code units. */
  readonly column: number
}

/** A layer whose state is a particle. */
export type ParticleName =
  /** The layer that the program runs for: the own head, unless the caller named another. */
  | { readonly kind: 'own' }
  /** The consensus' state. */
  | { readonly kind: 'consensus' }
  /** The nearest ancestors of the own layer, nearest first, as many as there are up to `count`. */
  | { readonly kind: 'parents'; readonly count: number }
  /** 6 to 64 lower-case hex digits: the beginning of a layer id. */
  | { readonly kind: 'layer'; readonly prefix: string }

/** The step rule of a program, complete. */
export type ProgramRule =
  | { readonly profile: 'stable'; readonly params: StableParams }
  | { readonly profile: 'published'; readonly params: PublishedParams }

export type ProgramAction =
  /** Start from the profile's empty state (0, or 0.5 in `published`), without a teacher and without a result. */
  | { readonly op: 'reset' }
  /** Start from a text: 1 at its characters, 0 elsewhere. */
  | { readonly op: 'cover'; readonly text: string }
  /** Hold a text as the target state; undefined: hold none. */
  | { readonly op: 'teacher'; readonly text: string | undefined }
  /** Step from the start until it settles: that is the result. The start stays. */
  | { readonly op: 'converge'; readonly rule: ProgramRule; readonly maxSteps: number; readonly tolerance: number }
  /** The result becomes the next start, the next teacher, or both. */
  | { readonly op: 'feedback'; readonly into: 'start' | 'teacher' | 'both' }
  /** The mean of the states of earlier layers becomes the start or the teacher. */
  | {
      readonly op: 'load_particles'
      readonly layers: readonly ParticleName[]
      /** `equal`, or each by its cosine to the result (to the start where there is no result). */
      readonly weigh: 'equal' | 'likeness'
      readonly into: 'start' | 'teacher'
    }

export type ProgramOp = ProgramAction & { readonly at: Position | undefined }

export interface ProgramOutputs {
  /** Greatest characters that an op reports. */
  readonly top: number
  /** Whether the characters of the last cover count among the greatest of a result. */
  readonly includeCover: boolean
  /** Energy of every step, of the first and the last state, or of none. */
  readonly energy: 'steps' | 'ends' | 'none'
}

/** A checked program. */
export interface Program {
  readonly version: 1
  /** Title, or ''. */
  readonly name: string
  readonly profile: ProgramRule['profile']
  readonly outputs: ProgramOutputs
  readonly ops: readonly ProgramOp[]
}

export const OP_NAMES: readonly ProgramAction['op'][] = ['reset', 'cover', 'teacher', 'converge', 'feedback', 'load_particles']
