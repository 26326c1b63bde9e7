import type { LatticeMatrices, LearnedRow, StableParams } from '@sgsd/lattice'
import { rowView } from './row-source.ts'
import { allocate, SellLayout } from './sell-layout.ts'

/** A lattice in lanes whose rows are replaced one at a time, laid out anew when they have outgrown their places. */
export class SellLattice {
  readonly rows: number
  readonly #matrices: LatticeMatrices
  readonly #params: StableParams
  readonly #place: typeof allocate
  readonly #replaced = new Map<number, LearnedRow>()
  #layout: SellLayout

  /**
   * @param matrices - not changed as long as this is used
   * @param place - gives the arrays their memory, each time anew
   */
  constructor(matrices: LatticeMatrices, params: StableParams, place: typeof allocate = allocate) {
    this.rows = matrices.tau.rows
    this.#matrices = matrices
    this.#params = params
    this.#place = place
    this.#layout = this.#layOut()
  }

  /** Valid until the next `setRow`. */
  get layout(): SellLayout {
    return this.#layout
  }

  setRow(row: number, edges: LearnedRow): void {
    this.#replaced.set(row, edges)
    if (!this.#layout.replace(row, edges)) this.#layout = this.#layOut()
  }

  #layOut(): SellLayout {
    return SellLayout.of(this.rows, (row) => this.#replaced.get(row) ?? rowView(this.#matrices, row), this.#params, this.#place)
  }
}
