/** A collection of sets of u32 ids (numbers or hashes of tokens, addresses of a sketch's bits), compressed by rows. */
export interface IdSets {
  /** Rows + 1 offsets into `ids`, ascending from 0. */
  readonly ptr: Uint32Array
  /** Any u32; one that stands twice in a row counts once. */
  readonly ids: Uint32Array
}

/** Which pairs are kept. */
export interface PairGate {
  /** Least coverage τ = |A ∩ B| / |B|, in [0, 1]. */
  readonly tau: number
  /** Greatest exclusion ρ = |A ∖ B| / |B|, finite and ≥ 0. */
  readonly rho: number
  /** Most pairs of a row A, ≥ 1; the best are kept: τ falling, then ρ rising, then B rising. */
  readonly top: number
}

/**
 * The pairs (A, B), A ≠ B, that share an id and pass the gate, compressed by rows: all of them up to `top` of a row, none that does not pass. Best first within a row.
 * The same whatever engine found them: both conditions are those of binary64 quotients, the order is that of exact fractions.
 */
export interface SetPairs {
  /** Rows + 1 offsets into the others. */
  readonly ptr: Uint32Array
  /** Row of B. */
  readonly cols: Uint32Array
  /** |A ∩ B| */
  readonly shared: Uint32Array
  /** Distinct ids of each row: with `shared`, τ = shared / sizes[B] and ρ = (sizes[A] − shared) / sizes[B]. */
  readonly sizes: Uint32Array
}

export type JoinEngineName = 'native' | 'wasm' | 'reference'

export interface JoinEngineReport {
  readonly engine: JoinEngineName
  readonly state: 'active' | 'standby' | 'missing' | 'wrong'
  /** What it is, or why it is not used. */
  readonly why: string
}

/** Rows that an engine has finished, of all rows. */
export type OnRows = (done: number, rows: number) => void

/**
 * Exact joins of sets by coverage and exclusion, on a worker thread. A call rejects with the signal's reason within about 100 ms of an abort; calls run one after another.
 *
 * Memory of a call: 28 bytes an id, at most 56 more a distinct one, 60 a set, and 16 a pair that is kept, at most `top` a set.
 */
export interface JoinCompute extends AsyncDisposable {
  readonly engine: JoinEngineName
  /** Every engine, the fastest first. */
  readonly engines: readonly JoinEngineReport[]
  /** @throws RangeError on sets or a gate out of bounds; ComputeError WORKER_CRASHED | CLOSED */
  join(sets: IdSets, gate: PairGate, signal: AbortSignal, onRows?: OnRows): Promise<SetPairs>
  close(): Promise<void>
}

/** Most sets of a collection: their counters then stay in a processor's cache of 8 MiB. */
export const MAX_JOIN_SETS: number = 2 ** 22
/** Most ids of a collection: a million sets of 32; about 1 GB, and up to 2 more where every id is distinct. */
export const MAX_JOIN_IDS: number = 2 ** 25
/** Most ids of a set, repeated ones included: what the engines' 16-bit counters hold. */
export const MAX_SET_IDS = 65_535
