/** Count of one plain observation: counts are fixed-point numbers of 1/256. docs/protocol.md §8.7 */
export const EVIDENCE_UNIT = 256

/** Greatest count of a pair, 2^32 − 1, or 16 million plain observations; more changes nothing. */
export const MAX_PAIR_COUNT = 0xffff_ffff

/** Pairs of one member, at most: 64 MB of counts. A member that holds so many goes on counting these and takes no new ones. */
export const MAX_EVIDENCE_PAIRS = 8_000_000

/** Sum of one member's counts, at most 2^41 (8.6 · 10^9 plain observations): the sum over 4,096 members stays exact in binary64. */
export const MAX_EVIDENCE_TOTAL: number = 2 ** 41

/** Greatest order of a lattice: row and column of a pair are one u32. */
const MAX_ORDER = 65_535

/** Pairs that wait unsorted before they are merged, at least; beyond that a quarter of those sorted, so that merging stays linear in all. */
const MIN_WAITING = 1 << 16

/** Some rows of counts. Row ids ascend strictly, columns ascend strictly in each row, no count is 0. */
export interface EvidenceRows {
  readonly rowIds: Uint32Array
  /** `rowIds.length + 1` offsets into `cols` and `counts`. */
  readonly ptr: Uint32Array
  readonly cols: Uint32Array
  readonly counts: Uint32Array
}

/** Counts of a whole lattice: C[v][u], v a character of the next line (row), u one of the line (column). Columns ascend strictly, no count is 0. */
export interface EvidenceCsr {
  /** Rows (= columns) of the lattice. */
  readonly rows: number
  /** `rows + 1` offsets into `cols` and `counts`. */
  readonly ptr: Uint32Array
  readonly cols: Uint32Array
  /** Of one member u32; of a sum over members whole numbers below 2^53. */
  readonly counts: Uint32Array | Float64Array
}

/** Counts of one member as they stand. Never changed: later counts make a new one. */
export interface EvidenceSnapshot extends EvidenceCsr {
  readonly counts: Uint32Array
  /** Sum of all counts. */
  readonly total: number
}

/**
 * What one member has counted. Counts only grow. Pairs are kept sorted, 8 bytes each; new observations wait in a hash table and are merged
 * in when there are many or when somebody looks, so that all in all a pair takes at most 16 bytes.
 */
export class EvidenceCounts {
  readonly rows: number
  #sorted: EvidenceSnapshot
  /** Open addressing: row · order + column + 1, or 0 for a free slot. */
  #keys = new Uint32Array(2 * MIN_WAITING)
  #added = new Uint32Array(2 * MIN_WAITING)
  #waiting = 0
  #addedTotal = 0

  /**
   * @param rows - order of the lattice, at most 65,535
   * @param from - counts to go on from; not changed
   */
  constructor(rows: number, from?: EvidenceSnapshot) {
    if (!(rows <= MAX_ORDER)) throw new RangeError(`a lattice of ${rows} rows; at most ${MAX_ORDER} are counted`)
    if (from !== undefined && from.rows !== rows) throw new RangeError(`counts of ${from.rows} rows do not fit a lattice of ${rows}`)
    this.rows = rows
    this.#sorted = from ?? { rows, ptr: new Uint32Array(rows + 1), cols: new Uint32Array(0), counts: new Uint32Array(0), total: 0 }
  }

  /**
   * Adds `weight` to the count of (row, column). Past the bounds above it changes nothing.
   * @param weight - whole number in [1, 2^32 − 1], in units of 1/256
   */
  add(row: number, column: number, weight: number = EVIDENCE_UNIT): void {
    if (this.#sorted.total + this.#addedTotal + weight > MAX_EVIDENCE_TOTAL) return
    if (this.#sorted.cols.length + this.#waiting >= MAX_EVIDENCE_PAIRS) {
      if (this.#waiting >= MIN_WAITING) this.#merge()
      if (this.#sorted.cols.length + this.#waiting >= MAX_EVIDENCE_PAIRS && !this.#holds(row, column)) return
    }
    const key = row * this.rows + column + 1
    const mask = this.#keys.length - 1
    let slot = hash(key) & mask
    while (this.#keys[slot] !== key && this.#keys[slot] !== 0) slot = (slot + 1) & mask
    if (this.#keys[slot] === 0) {
      this.#keys[slot] = key
      this.#waiting++
    }
    this.#added[slot] = Math.min(MAX_PAIR_COUNT, this.#added[slot]! + weight)
    this.#addedTotal += weight
    if (2 * this.#waiting > this.#keys.length) this.#makeRoom()
  }

  /** Adds `weight` to every pair of a character of the next line (rows) and one of the line (columns). */
  addPairs(rows: Uint32Array, columns: Uint32Array, weight: number = EVIDENCE_UNIT): void {
    for (const row of rows) for (const column of columns) this.add(row, column, weight)
  }

  /** Everything counted so far, sorted. Cheap when nothing was added since the last time: then it is the same object. */
  snapshot(): EvidenceSnapshot {
    this.#merge()
    return this.#sorted
  }

  /** Whether a pair has a count among those sorted. */
  #holds(row: number, column: number): boolean {
    const { ptr, cols } = this.#sorted
    let low = ptr[row]!
    let high = ptr[row + 1]!
    while (low < high) {
      const middle = (low + high) >>> 1
      if (cols[middle]! < column) low = middle + 1
      else high = middle
    }
    return low < ptr[row + 1]! && cols[low] === column
  }

  /** The table is half full: it grows while it is small beside what is sorted, and is merged otherwise. */
  #makeRoom(): void {
    if (this.#waiting >= Math.max(MIN_WAITING, this.#sorted.cols.length >>> 2)) return this.#merge()
    const keys = this.#keys
    const added = this.#added
    this.#keys = new Uint32Array(2 * keys.length)
    this.#added = new Uint32Array(2 * keys.length)
    const mask = this.#keys.length - 1
    for (let i = 0; i < keys.length; i++) {
      if (keys[i] === 0) continue
      let slot = hash(keys[i]!) & mask
      while (this.#keys[slot] !== 0) slot = (slot + 1) & mask
      this.#keys[slot] = keys[i]!
      this.#added[slot] = added[i]!
    }
  }

  #merge(): void {
    if (this.#waiting === 0) return
    const keys = this.#waitingKeys()
    this.#sorted = merged(this.#sorted, keys, this.#waitingCounts(keys))
    this.#waiting = 0
    this.#addedTotal = 0
    this.#keys.fill(0)
    this.#added.fill(0)
  }

  #waitingKeys(): Uint32Array {
    const keys = new Uint32Array(this.#waiting)
    let end = 0
    for (const key of this.#keys) if (key !== 0) keys[end++] = key
    return keys.sort()
  }

  #waitingCounts(keys: Uint32Array): Uint32Array {
    const mask = this.#keys.length - 1
    return keys.map((key) => {
      let slot = hash(key) & mask
      while (this.#keys[slot] !== key) slot = (slot + 1) & mask
      return this.#added[slot]!
    })
  }
}

/** Fibonacci hashing; the high bits, folded down, are the well-mixed ones. */
function hash(key: number): number {
  const product = Math.imul(key, 0x9e37_79b1)
  return product ^ (product >>> 15)
}

/** Two ascending sequences of pairs as one; counts of a pair that both have are added, up to the greatest. */
function merged(old: EvidenceSnapshot, keys: Uint32Array, added: Uint32Array): EvidenceSnapshot {
  const { rows } = old
  const room = old.cols.length + keys.length
  const ptr = new Uint32Array(rows + 1)
  const cols = new Uint32Array(room)
  const counts = new Uint32Array(room)
  let end = 0
  let k = 0
  let total = 0
  for (let row = 0; row < rows; row++) {
    const first = row * rows + 1
    let e = old.ptr[row]!
    const stop = old.ptr[row + 1]!
    for (;;) {
      const mine = e < stop ? old.cols[e]! : Infinity
      const other = k < keys.length && keys[k]! < first + rows ? keys[k]! - first : Infinity
      if (mine === Infinity && other === Infinity) break
      let count = 0
      if (mine <= other) count += old.counts[e++]!
      if (other <= mine) count += added[k++]!
      cols[end] = mine < other ? mine : other
      counts[end] = Math.min(MAX_PAIR_COUNT, count)
      total += counts[end++]!
    }
    ptr[row + 1] = end
  }
  return { rows, ptr, cols: cols.slice(0, end), counts: counts.slice(0, end), total }
}
