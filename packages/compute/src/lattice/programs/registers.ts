import { createHash } from 'node:crypto'
import { cover, coverState, type HanziKernel, PUBLISHED_START, type ProgramRule } from '@sgsd/lattice'
import { encodeStateBlock } from '@sgsd/wire'

/** What a program works on. States are replaced, never changed in place. */
export class Registers {
  readonly #kernel: HanziKernel
  readonly #profile: ProgramRule['profile']
  start: Float32Array
  /** `own`: the start is its own teacher in the stable profile, and there is none in the published one. */
  #teacher: Float32Array | 'own' | 'none' = 'own'
  result: Float32Array | undefined
  /** Rows of the last cover. */
  covered: Uint32Array = new Uint32Array(0)

  constructor(kernel: HanziKernel, profile: ProgramRule['profile']) {
    this.#kernel = kernel
    this.#profile = profile
    this.start = this.#empty()
  }

  /** The target that a converge holds. */
  get teacher(): Float32Array | undefined {
    if (this.#teacher === 'none') return undefined
    if (this.#teacher !== 'own') return this.#teacher
    return this.#profile === 'stable' ? this.start : undefined
  }

  /** @param state - undefined: none from now on */
  teach(state: Float32Array | undefined): void {
    this.#teacher = state ?? 'none'
  }

  reset(): void {
    this.start = this.#empty()
    this.#teacher = 'own'
    this.result = undefined
    this.covered = new Uint32Array(0)
  }

  /** The state of a text: 1 at its characters. */
  textState(text: string): { readonly state: Float32Array; readonly rows: Uint32Array; readonly unknown: readonly string[] } {
    const { rows, unknown } = cover(this.#kernel, text)
    return { state: coverState(this.#kernel, rows), rows, unknown }
  }

  #empty(): Float32Array {
    return new Float32Array(this.#kernel.definedCount).fill(this.#profile === 'published' ? PUBLISHED_START : 0)
  }
}

/** SHA-256 of a state's canonical block. */
export function stateDigest(state: Float32Array): string {
  return createHash('sha256').update(encodeStateBlock(state)).digest('hex')
}
