import type { EvidenceCsr, EvidenceRows } from './counts.ts'

/**
 * The sum of counts, pair by pair. Sums of whole numbers below 2^53 are exact in binary64: every order and grouping of the parts gives the same.
 * @param rows - order of the lattice
 * @param parts - any number of parts for one row
 * @throws RangeError if a row or a column lies outside the lattice (a bug: such a layer is refused when it is loaded)
 */
export function sumEvidence(rows: number, parts: readonly EvidenceRows[]): EvidenceCsr {
  const owners = ownersOf(rows, parts)
  const row = new SummedRow(rows)
  const ptr = new Uint32Array(rows + 1)
  let cols = new Uint32Array(1024)
  let counts = new Float64Array(1024)
  let end = 0
  for (let r = 0; r < rows; r++) {
    const from = owners.ptr[r]!
    const to = owners.ptr[r + 1]!
    let most = 0
    for (let i = from; i < to; i++) most += parts[owners.part[i]!]!.ptr[owners.at[i]! + 1]! - parts[owners.part[i]!]!.ptr[owners.at[i]!]!
    if (end + most > cols.length) {
      const room = Math.max(end + most, Math.ceil(1.5 * cols.length))
      cols = grown(cols, new Uint32Array(room))
      counts = grown(counts, new Float64Array(room))
    }
    if (to === from + 1) {
      end = copyRow(parts[owners.part[from]!]!, owners.at[from]!, rows, cols, counts, end)
    } else if (to > from) {
      for (let i = from; i < to; i++) row.add(parts[owners.part[i]!]!, owners.at[i]!)
      end = row.flush(cols, counts, end)
    }
    ptr[r + 1] = end
  }
  return { rows, ptr, cols: cols.slice(0, end), counts: counts.slice(0, end) }
}

/** The row of a single part. @returns the offset behind the last pair */
function copyRow(part: EvidenceRows, at: number, columns: number, cols: Uint32Array, counts: Float64Array, end: number): number {
  let to = end
  for (let e = part.ptr[at]!; e < part.ptr[at + 1]!; e++) {
    const column = part.cols[e]!
    if (column >= columns) throw new RangeError(`column ${column} does not fit a lattice of ${columns} rows`)
    cols[to] = column
    counts[to++] = part.counts[e]!
  }
  return to
}

/** One row in the making: a double per column, and a bit set of the columns in use, so that they come out ascending without sorting. */
class SummedRow {
  readonly #sums: Float64Array
  /** Bit c of word w: column 32·w + c is in use. */
  readonly #words: Uint32Array

  constructor(columns: number) {
    this.#sums = new Float64Array(columns)
    this.#words = new Uint32Array((columns + 31) >>> 5)
  }

  add({ ptr, cols, counts }: EvidenceRows, at: number): void {
    const sums = this.#sums
    const words = this.#words
    const end = ptr[at + 1]!
    for (let e = ptr[at]!; e < end; e++) {
      const column = cols[e]!
      if (column >= sums.length) throw new RangeError(`column ${column} does not fit a lattice of ${sums.length} rows`)
      words[column >>> 5]! |= 1 << (column & 31)
      sums[column]! += counts[e]!
    }
  }

  /** Writes the row and empties it. @returns the offset behind the last pair */
  flush(cols: Uint32Array, counts: Float64Array, at: number): number {
    const sums = this.#sums
    const words = this.#words
    let end = at
    for (let w = 0; w < words.length; w++) {
      for (let word = words[w]!; word !== 0; word &= word - 1) {
        const column = (w << 5) + 31 - Math.clz32(word & -word)
        cols[end] = column
        counts[end++] = sums[column]!
        sums[column] = 0
      }
      words[w] = 0
    }
    return end
  }
}

/** Which part has which row, and where in it: those of row r at `ptr[r]` … `ptr[r + 1]`. */
function ownersOf(rows: number, parts: readonly EvidenceRows[]): { ptr: Uint32Array; part: Uint32Array; at: Uint32Array } {
  const ptr = new Uint32Array(rows + 1)
  for (const { rowIds } of parts) {
    for (const row of rowIds) {
      if (row >= rows) throw new RangeError(`row ${row} does not fit a lattice of ${rows} rows`)
      ptr[row + 1]!++
    }
  }
  for (let row = 0; row < rows; row++) ptr[row + 1]! += ptr[row]!
  const next = ptr.slice(0, rows)
  const part = new Uint32Array(ptr[rows]!)
  const at = new Uint32Array(ptr[rows]!)
  for (const [p, { rowIds }] of parts.entries()) {
    for (let i = 0; i < rowIds.length; i++) {
      const slot = next[rowIds[i]!]!++
      part[slot] = p
      at[slot] = i
    }
  }
  return { ptr, part, at }
}

function grown<T extends Uint32Array | Float64Array>(old: T, larger: T): T {
  larger.set(old)
  return larger
}
