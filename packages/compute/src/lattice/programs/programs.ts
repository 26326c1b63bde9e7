import type { HanziKernel } from '@sgsd/lattice'
import { parseStateBlock } from '@sgsd/wire'
import { ComputeError } from '../../compute-error.ts'
import type { LayerContent } from '../port.ts'
import { MAX_PROGRAMS, type Particle, type ProgramInput, type ProgramSlice } from './port.ts'
import { type ProgramLattice, ProgramRun } from './program-run.ts'

/** How long a slice runs, ms: other calls wait no longer for it than for a farmed line. */
const SLICE_MS = 20

/** What programs need of the running lattice: to read it. */
export interface ProgramSource {
  /** The consensus as folded, without what this member has learned since. */
  readonly consensus: ProgramLattice
  /** What the consensus would be with this one layer, or why the layer is refused. */
  consensusOf(content: LayerContent): ProgramLattice | { readonly refusal: string }
}

/** The programs that are open in the lattice worker. */
export class Programs {
  readonly #kernel: HanziKernel
  readonly #source: ProgramSource
  readonly #open = new Map<number, ProgramRun>()
  #nextId = 0

  constructor(kernel: HanziKernel, source: ProgramSource) {
    this.#kernel = kernel
    this.#source = source
  }

  open({ program, particles, states, over }: ProgramInput): number {
    if (this.#open.size >= MAX_PROGRAMS) throw new ComputeError('BUSY', { what: 'programs', limit: MAX_PROGRAMS })
    const loaded = new Map<Particle, Float32Array>(states.map(({ layer, state }) => [layer, this.#stateOf(layer, state)]))
    loaded.set('consensus', this.#source.consensus.state)
    const named = particles.map(
      ({ op, particles: names }) => [op, names.map((particle) => ({ particle, state: stateIn(loaded, particle) }))] as const,
    )
    const id = this.#nextId++
    this.#open.set(id, new ProgramRun(this.#kernel, this.#latticeOf(over), program, new Map(named)))
    return id
  }

  advance(id: number): ProgramSlice {
    const run = this.#open.get(id)
    if (run === undefined) throw new ComputeError('CLOSED', { call: 'advanceProgram' })
    const until = performance.now() + SLICE_MS
    return run.advance(() => performance.now() >= until)
  }

  close(id: number): void {
    this.#open.delete(id)
  }

  #latticeOf(over: LayerContent | undefined): ProgramLattice {
    if (over === undefined) return this.#source.consensus
    const lattice = this.#source.consensusOf(over)
    if ('refusal' in lattice) throw new ComputeError('LAYER_REFUSED', { layer: over.layer, detail: lattice.refusal })
    return lattice
  }

  #stateOf(layer: string, bytes: Uint8Array): Float32Array {
    const state = parseStateBlock(bytes)
    if (state.type !== 'accept') throw new ComputeError('LAYER_REFUSED', { layer, detail: `its state: ${state.reason}` })
    const { value } = state
    if (value.length !== this.#kernel.definedCount || !value.every((entry) => entry >= 0 && entry <= 1)) {
      throw new ComputeError('LAYER_REFUSED', { layer, detail: 'its state does not fit the lattice' })
    }
    return value
  }
}

function stateIn(loaded: ReadonlyMap<Particle, Float32Array>, particle: Particle): Float32Array {
  const state = loaded.get(particle)
  if (state === undefined) throw new ComputeError('LAYER_REFUSED', { layer: particle, detail: 'its state was not given' })
  return state
}
