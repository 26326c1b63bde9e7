import fc from 'fast-check'
import type { Csr, LatticeMatrices } from '../csr.ts'
import type { HanziKernel } from '../hanzi-kernel.ts'
import type { EvidenceRows, EvidenceSnapshot } from './counts.ts'

/** A kernel of the characters a, b, c, … each a radical of its own, all defined. */
export function letterKernel(order: number): HanziKernel {
  const first = 97
  return {
    id: '0'.repeat(64),
    definedCount: order,
    codePoints: Uint32Array.from({ length: order }, (_, row) => first + row),
    radicals: Uint8Array.from({ length: order }, (_, row) => row + 1),
    strokes: new Uint8Array(order).fill(1),
    rowOf: (character) => {
      const row = character.codePointAt(0)! - first
      return row >= 0 && row < order ? row : undefined
    },
    characterAt: (row) => String.fromCodePoint(first + row),
    definitionOf: () => '',
    readingOf: () => '',
    tokensOf: () => [],
  }
}

/** A base lattice with an edge of weight ½ from each row to the next. */
export function ringLattice(order: number): LatticeMatrices {
  const ring = (weight: number): Csr => ({
    rows: order,
    ptr: Uint32Array.from({ length: order + 1 }, (_, row) => row),
    cols: Uint32Array.from({ length: order }, (_, row) => (row + 1) % order),
    vals: new Float32Array(order).fill(weight),
  })
  return { tau: ring(0.5), rho: ring(0.25) }
}

/** Documents of lines of the first `order` letters; a text is their lines with '' between. */
export function documents(order: number): fc.Arbitrary<readonly (readonly string[])[]> {
  const line = fc.array(fc.nat(order - 1), { minLength: 1, maxLength: 4 }).map((rows) => String.fromCodePoint(...rows.map((row) => 97 + row)))
  return fc.array(fc.array(line, { minLength: 1, maxLength: 4 }), { maxLength: 6 })
}

export function textOf(poems: readonly (readonly string[])[]): readonly string[] {
  return poems.flatMap((lines) => [...lines, ''])
}

/** The rows that have counts. */
export function rowsOf({ rows, ptr, cols, counts }: EvidenceSnapshot): EvidenceRows {
  const rowIds = Uint32Array.from({ length: rows }, (_, row) => row).filter((row) => ptr[row + 1]! > ptr[row]!)
  return { rowIds, ptr: Uint32Array.of(0, ...Array.from(rowIds, (row) => ptr[row + 1]!)), cols, counts }
}
