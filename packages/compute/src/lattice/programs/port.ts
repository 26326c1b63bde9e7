import type { LayerId } from '@sgsd/consensus'
import type { Program, ProgramAction } from '@sgsd/lattice'
import type { LayerContent } from '../port.ts'

/** Programs that run at the same time; each holds a lattice of some 10 MB. */
export const MAX_PROGRAMS = 4

/** Layers that all ops of a program name together: 92 kB each. */
export const MAX_PROGRAM_LAYERS = 256

/** One particle of an op: the consensus' state, or that of a layer in `ProgramInput.states`. */
export type Particle = 'consensus' | LayerId

/** A checked program with what its names stand for. */
export interface ProgramInput {
  readonly program: Program
  /** Particles of each load_particles, by the op's index; none is there twice. */
  readonly particles: readonly { readonly op: number; readonly particles: readonly Particle[] }[]
  /** State blocks of the layers. */
  readonly states: readonly { readonly layer: LayerId; readonly state: Uint8Array }[]
  /** The lattice to run over is the consensus of this one layer; undefined: the running consensus. */
  readonly over: LayerContent | undefined
}

/** A character and its entry of a state. */
export interface TopEntry {
  readonly character: string
  readonly value: number
}

/** What an op did. */
export interface OpReport {
  readonly event: 'op'
  /** Place in the program, from 0. */
  readonly index: number
  readonly op: ProgramAction['op']
  /** What it set; `teacher: none` and `reset` take the teacher away, which is not named here. */
  readonly sets: readonly ('start' | 'teacher' | 'result')[]
  /** SHA-256 of the state block of what it set, 64 hex digits: a layer with this s names the same block. '' where it set nothing. */
  readonly sha256: string
  /** Its greatest characters. */
  readonly top: readonly TopEntry[]
  /** Characters of the text that no row stands for. */
  readonly unknown?: readonly string[]
  readonly particles?: readonly ParticleReport[]
  readonly converge?: ConvergeReport
}

export interface ParticleReport {
  /** Layer id, or `consensus`. */
  readonly particle: Particle
  /** Share in the mean; all of an op sum to 1. */
  readonly weight: number
  /** Cosine to the result (to the start where there was none), in [0, 1]. */
  readonly likeness: number
}

export interface ConvergeReport {
  readonly steps: number
  /** Whether the tolerance was met. */
  readonly converged: boolean
  /** ‖s' − s‖₂ of the last step. */
  readonly moved: number
  /** Energy before the first and after each step, or before and after all; absent where none was asked for. */
  readonly energy?: readonly number[]
  /** Whether the lattice has detailed balance, so that no step raises the energy. */
  readonly energyFalls?: boolean
  /** max|s' − s| of each step, where energies of steps were asked for. */
  readonly moves?: readonly number[]
}

/** What a run says while it goes on; it ends with `end` or `failed`. */
export type ProgramEvent =
  | OpReport
  /** A long converge is under way. */
  | { readonly event: 'progress'; readonly index: number; readonly steps: number; readonly moved: number }
  | {
      readonly event: 'end'
      /** Steps of all converges. */
      readonly steps: number
      /** The result, or the start where no converge ran since the last reset. */
      readonly sha256: string
      readonly top: readonly (TopEntry & { readonly definition: string })[]
    }
  | ProgramFailure

/** Why a run ended before its end. */
export interface ProgramFailure {
  readonly event: 'failed'
  /** The op that could not go on. */
  readonly index: number
  readonly code: 'TEXT_UNKNOWN' | 'TOO_MANY_STEPS'
  readonly message: string
}

export interface ProgramSlice {
  readonly events: readonly ProgramEvent[]
  readonly done: boolean
}

/**
 * Programs beside the running lattice. A program runs over the consensus as it is when it is opened (without what this member has learned since), in the
 * reference arithmetic, slice by slice between other calls; the running lattice is read, never changed.
 */
export interface ProgramCompute {
  /** @throws ComputeError LAYER_REFUSED when a layer's content is not good, BUSY when MAX_PROGRAMS run already */
  openProgram(input: ProgramInput): Promise<number>
  /** Runs on for some milliseconds. @throws ComputeError CLOSED for a program that is not open */
  advanceProgram(id: number): Promise<ProgramSlice>
  /** Forgets it; idempotent. */
  closeProgram(id: number): Promise<void>
}
