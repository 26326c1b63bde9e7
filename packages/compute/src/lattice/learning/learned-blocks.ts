import type { RowBlock } from '@sgsd/consensus'
import type { LearnedRow } from '@sgsd/lattice'

/**
 * Learned rows as one block per radical, radicals and rows ascending: equal rows give equal blocks, whatever the order of learning was.
 * @param radicals - Kangxi radical of each row
 */
export function blocksOf(learned: ReadonlyMap<number, LearnedRow>, radicals: Uint8Array): RowBlock[] {
  const byRadical = new Map<number, number[]>()
  for (const row of [...learned.keys()].sort((a, b) => a - b)) {
    const radical = radicals[row]!
    const rows = byRadical.get(radical)
    if (rows === undefined) byRadical.set(radical, [row])
    else rows.push(row)
  }
  return [...byRadical].sort(([a], [b]) => a - b).map(([radical, rowIds]) => blockOf(radical, rowIds, learned))
}

/** The rows of blocks that passed `checkRows`; shares no memory with them. */
export function rowsOf(blocks: readonly RowBlock[]): Map<number, LearnedRow> {
  const rows = new Map<number, LearnedRow>()
  for (const { rowIds, tauPtr, tauCols, tauVals, rhoPtr, rhoCols, rhoVals } of blocks) {
    rowIds.forEach((row, i) => {
      const tau = [tauPtr[i]!, tauPtr[i + 1]!] as const
      const rho = [rhoPtr[i]!, rhoPtr[i + 1]!] as const
      rows.set(row, {
        tauCols: tauCols.slice(...tau),
        tauVals: tauVals.slice(...tau),
        rhoCols: rhoCols.slice(...rho),
        rhoVals: rhoVals.slice(...rho),
      })
    })
  }
  return rows
}

function blockOf(radical: number, rowIds: readonly number[], learned: ReadonlyMap<number, LearnedRow>): RowBlock {
  const rows = rowIds.map((row) => learned.get(row)!)
  return {
    radical,
    rowIds: Uint32Array.from(rowIds),
    ...stacked(rows, 'tau'),
    ...stacked(rows, 'rho'),
  }
}

type Side<M extends 'tau' | 'rho'> = Pick<RowBlock, `${M}Ptr` | `${M}Cols` | `${M}Vals`>

function stacked<M extends 'tau' | 'rho'>(rows: readonly LearnedRow[], matrix: M): Side<M> {
  const ptr = new Uint32Array(rows.length + 1)
  rows.forEach((row, i) => {
    ptr[i + 1] = ptr[i]! + row[`${matrix}Cols`].length
  })
  const cols = new Uint32Array(ptr[rows.length]!)
  const vals = new Float32Array(ptr[rows.length]!)
  rows.forEach((row, i) => {
    cols.set(row[`${matrix}Cols`], ptr[i])
    vals.set(row[`${matrix}Vals`], ptr[i])
  })
  return { [`${matrix}Ptr`]: ptr, [`${matrix}Cols`]: cols, [`${matrix}Vals`]: vals } as unknown as Side<M>
}
