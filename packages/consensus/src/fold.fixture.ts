import type { Csr, LatticeMatrices } from '@sgsd/lattice'
import fc from 'fast-check'
import type { FoldMember } from './fold.ts'
import type { LayerId } from './ids.ts'
import { digestOf, peer } from './mesh.fixture.ts'
import type { RowBlock } from './row-block.ts'

/** One row: column → weight. */
export type Row = ReadonlyMap<number, number>
/** A matrix as its rows. */
export type Rows = ReadonlyMap<number, Row>

/** Rows of one radical, out of maps. */
export function blockOf(radical: number, tau: Rows, rho: Rows): RowBlock {
  const rowIds = Uint32Array.from(tau.keys()).sort()
  const [tauPtr, tauCols, tauVals] = arrays([...rowIds].map((row) => tau.get(row) ?? new Map<number, number>()))
  const [rhoPtr, rhoCols, rhoVals] = arrays([...rowIds].map((row) => rho.get(row) ?? new Map<number, number>()))
  return { radical, rowIds, tauPtr, tauCols, tauVals, rhoPtr, rhoCols, rhoVals }
}

export function csrOf(rows: number, given: Rows): Csr {
  const [ptr, cols, vals] = arrays(Array.from({ length: rows }, (_, row) => given.get(row) ?? new Map<number, number>()))
  return { rows, ptr, cols, vals }
}

export function rowOf({ ptr, cols, vals }: Csr, row: number): Row {
  const weights = vals.subarray(ptr[row], ptr[row + 1])
  return new Map(Array.from(cols.subarray(ptr[row], ptr[row + 1]), (col, e) => [col, weights[e] ?? Number.NaN]))
}

export function memberOf(name: string, blocks: readonly RowBlock[], rows: number, changes: Partial<FoldMember> = {}): FoldMember {
  return { peer: peer(name), seq: 1n, layer: digestOf(name) as LayerId, weight: 1, blocks, state: new Float32Array(rows).fill(0.5), ...changes }
}

/** Floats in [0, 1] as f32 has them. */
export const weight: fc.Arbitrary<number> = fc.float({ min: 0, max: 1, noNaN: true }).map((value) => value + 0)

export function rowsArbitrary(rows: number, edges = 6): fc.Arbitrary<Rows> {
  const row = fc.array(fc.tuple(fc.nat(rows - 1), weight), { maxLength: edges }).map((entries): Row => new Map(entries))
  return fc.array(fc.tuple(fc.nat(rows - 1), row), { maxLength: rows }).map((entries) => new Map(entries))
}

export function baseOf(rows: number, tau: Rows, rho: Rows): LatticeMatrices {
  return { tau: csrOf(rows, tau), rho: csrOf(rows, rho) }
}

function arrays(rows: readonly Row[]): [Uint32Array<ArrayBuffer>, Uint32Array<ArrayBuffer>, Float32Array<ArrayBuffer>] {
  const ptr = new Uint32Array(rows.length + 1)
  const flat: [number, number][] = []
  for (const [i, row] of rows.entries()) {
    flat.push(...[...row].sort(([a], [b]) => a - b))
    ptr[i + 1] = flat.length
  }
  return [ptr, Uint32Array.from(flat, ([col]) => col), Float32Array.from(flat, ([, value]) => value)]
}
