import type { IdSets } from './port.ts'

/** Sets with their ids numbered from 0 in order of first appearance, each once a row. */
export interface InternedSets {
  readonly ptr: Uint32Array
  readonly tokens: Uint32Array
  /** Sets that hold each token. */
  readonly frequencies: Uint32Array
}

/** Free cell of the table: tokens are below it. */
const FREE = 0xffff_ffff

/** Cells that the table begins with; a power of two. It doubles when half full. */
const LEAST_CELLS = 1_024

/** Numbers ids through an open-addressing table in typed arrays: a Map would hold at most 2^24 of them, in five times the memory. */
export function internIds(sets: IdSets): InternedSets {
  const rows = sets.ptr.length - 1
  const ptr = new Uint32Array(rows + 1)
  const tokens = new Uint32Array(sets.ids.length)
  let idOf = new Uint32Array(LEAST_CELLS)
  let frequencies = new Uint32Array(LEAST_CELLS)
  /** Row in which each token was seen last, plus 1. */
  let seen = new Uint32Array(LEAST_CELLS)
  let cells = new Uint32Array(LEAST_CELLS * 2).fill(FREE)
  let count = 0
  let written = 0
  for (let row = 0; row < rows; row++) {
    const end = sets.ptr[row + 1]!
    for (let at = sets.ptr[row]!; at < end; at++) {
      const id = sets.ids[at]!
      const cell = cellOf(id, cells, idOf)
      let token = cells[cell]!
      if (token === FREE) {
        if (count === idOf.length) {
          idOf = doubled(idOf)
          frequencies = doubled(frequencies)
          seen = doubled(seen)
          cells = new Uint32Array(idOf.length * 2).fill(FREE)
          for (let each = 0; each < count; each++) cells[cellOf(idOf[each]!, cells, idOf)] = each
        }
        token = count++
        idOf[token] = id
        cells[cellOf(id, cells, idOf)] = token
      }
      if (seen[token] === row + 1) continue
      seen[token] = row + 1
      frequencies[token]!++
      tokens[written++] = token
    }
    ptr[row + 1] = written
  }
  return { ptr, tokens: tokens.slice(0, written), frequencies: frequencies.slice(0, count) }
}

/** The cell that holds an id, or the free one where it would go. */
function cellOf(id: number, cells: Uint32Array, idOf: Uint32Array): number {
  const last = cells.length - 1
  // the finaliser of murmur3: ids may be counted numbers or hashes
  let hash = Math.imul(id ^ (id >>> 16), 0x85eb_ca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35)
  let cell = (hash ^ (hash >>> 16)) & last
  for (let token = cells[cell]!; token !== FREE && idOf[token] !== id; token = cells[cell]!) cell = (cell + 1) & last
  return cell
}

function doubled(from: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const to = new Uint32Array(from.length * 2)
  to.set(from)
  return to
}
