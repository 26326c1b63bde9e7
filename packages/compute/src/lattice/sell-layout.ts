import type { LearnedRow, StableParams } from '@sgsd/lattice'
import { eachEdge, scalesOfRow } from './row-source.ts'

// How packages/compute/native/lattice.c reads a lattice; the sizes are in both.
//
// Sixteen rows of about one length make a chunk, a lane each; up to twelve chunks make a tile. A tile's edges lie in the order in which they are added up: the first
// edge of each lane of its longest chunk, of the next chunk, and so on, then the second edges of the chunks that have one. What one chunk holds of one turn is a step:
// sixteen u16 of columns, each the distance from the lane's column before (0 at first), then sixteen f32 of weights. A weight of 0 changes no bit of a sum, so it fills
// short lanes, and bridges distances that a u16 cannot hold.
//
// A tile takes Wτ first and Wρ after it, each with lengths of its own. Where the two matrices mostly share their edges it is `joint`: one phase over the
// union of the edges, in which thirty-two weights follow the sixteen columns.

const LANES = 16
const TILE_CHUNKS = 12
const CHUNK_BASE = 16

/** Unit of the phases' first bytes. */
const STREAM_UNIT = 32

/** Greatest distance of two columns that one step takes. */
const MAX_DELTA = 0xff_ff

/** Words of a tile: chunks, first chunk, joint, in order, first unit of Wτ, of Wρ, then the orders of both. */
const TILE_WORDS = 6 + 2 * TILE_CHUNKS
const JOINT = 2
const IN_ORDER = 3
const PHASES = 4
const ORDERS = 6

/**
 * Rows that are sorted by length among themselves: few enough that what a tile reads of the state stays close together,
 * enough that a chunk's rows are of about one length.
 */
const SORTED_ROWS = 4_096

/** Rows whose lengths are within this ratio are equal to the sort, so that it can keep equal lengths of Wρ together too. */
const LENGTH_RATIO = 1.2

/** Tiles of one chunk that are kept free for replaced rows that outgrow their place, and room for their edges, as a part of all. */
const SPARE_TILES = 64
const SPARE_PART = 1 / 8
const SPARE_UNITS = 8_192

/** Room that a moved row gets, of what it needs. */
const GROWTH = 1.25

/** Lengths of a layout's arrays; the stream's is in bytes, a multiple of 32. */
export interface LayoutSizes {
  readonly tiles: number
  readonly lanes: number
  readonly scales: number
  readonly stream: number
}

/** Where a layout lies; all 0 at first. */
export interface LayoutArrays {
  readonly tiles: Uint32Array
  readonly lanes: Uint32Array
  readonly scales: Float64Array
  readonly stream: Uint8Array
}

/** Takes the arrays from the heap. */
export function allocate({ tiles, lanes, scales, stream }: LayoutSizes): LayoutArrays {
  return { tiles: new Uint32Array(tiles), lanes: new Uint32Array(lanes), scales: new Float64Array(scales), stream: new Uint8Array(stream) }
}

/** A lattice laid out for vectors with a row in each lane. Single rows can be replaced; columns must ascend. */
export class SellLayout implements LayoutArrays {
  /** Tiles in use, `count` of them. */
  readonly tiles: Uint32Array
  count = 0
  /** Row of each lane; `rows` for lanes without one. */
  readonly lanes: Uint32Array
  /** Per chunk: what the sums of its lanes in Wτ are multiplied by, then in Wρ. */
  readonly scales: Float64Array
  readonly stream: Uint8Array
  readonly #params: StableParams
  readonly #rows: number
  readonly #halves: Uint16Array
  readonly #words: Float32Array
  /** Lane of each row. */
  readonly #laneOf: Uint32Array
  /** Tile of each chunk. */
  readonly #tileOf: Uint32Array
  #chunks = 0
  /** Units of the stream in use. */
  #units = 0
  /** Lane of the last spare tile that is free, and those behind it. */
  #freeLane = 0

  private constructor(rows: number, params: StableParams, arrays: LayoutArrays) {
    this.#rows = rows
    this.#params = params
    this.tiles = arrays.tiles
    this.lanes = arrays.lanes.fill(rows)
    this.scales = arrays.scales
    this.stream = arrays.stream
    const { buffer, byteOffset, byteLength } = arrays.stream
    this.#halves = new Uint16Array(buffer, byteOffset, byteLength / Uint16Array.BYTES_PER_ELEMENT)
    this.#words = new Float32Array(buffer, byteOffset, byteLength / Float32Array.BYTES_PER_ELEMENT)
    this.#laneOf = new Uint32Array(rows)
    this.#tileOf = new Uint32Array(arrays.lanes.length / LANES)
  }

  /**
   * @param rows - number of rows
   * @param edgesOf - the edges of a row; asked for twice
   * @param place - gives the arrays their memory
   */
  static of(rows: number, edgesOf: (row: number) => LearnedRow, params: StableParams, place: typeof allocate = allocate): SellLayout {
    const rowSizes = Array.from({ length: rows }, (_, row) => sizeOf(edgesOf(row)))
    const plans = planTiles(rowSizes)
    const units = plans.reduce((sum, plan) => sum + plan.units, 0)
    const spare = SPARE_UNITS + Math.ceil(units * SPARE_PART)
    const lanes = (plans.reduce((sum, plan) => sum + plan.tau.length, 0) + SPARE_TILES) * LANES
    const sizes = { tiles: (plans.length + SPARE_TILES) * TILE_WORDS, lanes, scales: 2 * lanes, stream: (units + spare) * STREAM_UNIT }
    const layout = new SellLayout(rows, params, place(sizes))
    for (const plan of plans) layout.#take(plan, edgesOf)
    layout.#freeLane = layout.#chunks * LANES
    return layout
  }

  /** Puts a row in the place of the one before. @returns false when there is no room: then the lattice must be laid out anew */
  replace(row: number, edges: LearnedRow): boolean {
    const size = sizeOf(edges)
    const lane = this.#laneOf[row]!
    if (this.#fits(lane, size)) {
      this.#write(lane, row, edges)
      return true
    }
    const isSpare = this.#freeLane < this.#chunks * LANES && this.#fits(this.#freeLane, size)
    if (!isSpare && !this.#addSpare(size)) return false
    this.tiles[this.#tileOf[Math.floor(lane / LANES)]! * TILE_WORDS + IN_ORDER] = 0
    this.lanes[lane] = this.#rows
    this.#setScales(lane, 0, 0)
    this.#write(this.#freeLane++, row, edges)
    return true
  }

  /** Whether a row of that size has room in a lane. */
  #fits(lane: number, size: RowSize): boolean {
    const chunk = Math.floor(lane / LANES)
    const tile = this.#tileOf[chunk]! * TILE_WORDS
    const place = chunk - this.tiles[tile + 1]!
    if (this.tiles[tile + JOINT] === 1) return size.joint <= this.#lengthOf(tile, 0, place)
    return size.tau <= this.#lengthOf(tile, 0, place) && size.rho <= this.#lengthOf(tile, 1, place)
  }

  #lengthOf(tile: number, phase: number, place: number): number {
    const first = tile + ORDERS + phase * TILE_CHUNKS
    const order = this.tiles.subarray(first, first + this.tiles[tile]!)
    return Math.floor(order.find((entry) => entry % CHUNK_BASE === place)! / CHUNK_BASE)
  }

  /** A tile of one chunk with room for rows a little longer than that. */
  #addSpare(size: RowSize): boolean {
    const [tau, rho] = [Math.ceil(GROWTH * size.tau), Math.ceil(GROWTH * size.rho)]
    const plan: TilePlan = { rows: [], joint: false, tau: [tau], rho: [rho], units: (tau + rho) * stepUnits(1) }
    const isFull = this.count * TILE_WORDS >= this.tiles.length || (this.#units + plan.units) * STREAM_UNIT > this.stream.length
    if (isFull) return false
    this.#freeLane = this.#chunks * LANES
    this.#take(plan, () => EMPTY_ROW)
    return true
  }

  /** Appends a tile. */
  #take(plan: TilePlan, edgesOf: (row: number) => LearnedRow): void {
    const { tiles } = this
    const tile = this.count * TILE_WORDS
    tiles[tile] = plan.tau.length
    tiles[tile + 1] = this.#chunks
    tiles[tile + JOINT] = plan.joint ? 1 : 0
    tiles[tile + IN_ORDER] = isRun(plan) ? 1 : 0
    tiles[tile + PHASES] = this.#units
    tiles[tile + PHASES + 1] = this.#units + steps(plan.tau) * stepUnits(plan.joint ? 2 : 1)
    tiles.set(orderOf(plan.tau), tile + ORDERS)
    tiles.set(orderOf(plan.rho), tile + ORDERS + TILE_CHUNKS)
    this.#tileOf.fill(this.count, this.#chunks, this.#chunks + plan.tau.length)
    const lane = this.#chunks * LANES
    this.count++
    this.#chunks += plan.tau.length
    this.#units += plan.units
    plan.rows.forEach((row, at) => this.#write(lane + at, row, edgesOf(row)))
  }

  /** Fills a lane. */
  #write(lane: number, row: number, edges: LearnedRow): void {
    const tile = this.#tileOf[Math.floor(lane / LANES)]! * TILE_WORDS
    this.lanes[lane] = row
    this.#laneOf[row] = lane
    const { tau, rho } = scalesOfRow(edges, this.#params)
    this.#setScales(lane, tau, rho)
    if (this.tiles[tile + JOINT] === 1) {
      const pen = this.#pen(tile, 0, 2, lane)
      eachEdge(edges, (_, column, tauWeight, rhoWeight) => pen.edge(column, tauWeight, rhoWeight))
      pen.end()
    } else {
      const pens = [this.#pen(tile, 0, 1, lane), this.#pen(tile, 1, 1, lane)] as const
      edges.tauCols.forEach((column, at) => pens[0].edge(column, edges.tauVals[at]!))
      edges.rhoCols.forEach((column, at) => pens[1].edge(column, edges.rhoVals[at]!))
      for (const pen of pens) pen.end()
    }
  }

  #pen(tile: number, phase: number, matrices: 1 | 2, lane: number): LanePen {
    const { tiles } = this
    const first = tile + ORDERS + phase * TILE_CHUNKS
    return new LanePen(this.#halves, this.#words, {
      order: tiles.subarray(first, first + tiles[tile]!),
      chunk: Math.floor(lane / LANES) - tiles[tile + 1]!,
      lane: lane % LANES,
      at: tiles[tile + PHASES + phase]! * STREAM_UNIT,
      matrices,
    })
  }

  #setScales(lane: number, tau: number, rho: number): void {
    const at = 2 * LANES * Math.floor(lane / LANES) + (lane % LANES)
    this.scales[at] = tau
    this.scales[at + LANES] = rho
  }
}

/** Writes one lane of a phase, step by step. */
class LanePen {
  readonly #halves: Uint16Array
  readonly #words: Float32Array
  readonly #order: Uint32Array
  readonly #length: number
  readonly #place: number
  readonly #lane: number
  readonly #bytes: number
  readonly #matrices: 1 | 2
  /** First byte of this turn's steps, how many chunks have one, and which turn it is. */
  #at: number
  #live: number
  #turn = 0
  #column = 0

  constructor(
    halves: Uint16Array,
    words: Float32Array,
    phase: { readonly order: Uint32Array; readonly chunk: number; readonly lane: number; readonly at: number; readonly matrices: 1 | 2 },
  ) {
    this.#halves = halves
    this.#words = words
    this.#order = phase.order
    this.#place = phase.order.findIndex((entry) => entry % CHUNK_BASE === phase.chunk)
    this.#length = Math.floor(phase.order[this.#place]! / CHUNK_BASE)
    this.#lane = phase.lane
    this.#bytes = stepUnits(phase.matrices) * STREAM_UNIT
    this.#matrices = phase.matrices
    this.#at = phase.at
    this.#live = phase.order.length
  }

  edge(column: number, first: number, second = 0): void {
    let delta = column - this.#column
    for (; delta > MAX_DELTA; delta -= MAX_DELTA) this.#step(MAX_DELTA, 0, 0)
    this.#step(delta, first, second)
    this.#column = column
  }

  /** Fills what the row leaves of the lane. */
  end(): void {
    while (this.#turn < this.#length) this.#step(0, 0, 0)
  }

  #step(delta: number, first: number, second: number): void {
    while (Math.floor(this.#order[this.#live - 1]! / CHUNK_BASE) <= this.#turn) this.#live--
    const at = this.#at + this.#place * this.#bytes
    this.#halves[at / 2 + this.#lane] = delta
    const word = at / 4 + LANES / 2 + this.#lane
    this.#words[word] = first
    if (this.#matrices === 2) this.#words[word + LANES] = second
    this.#at += this.#live * this.#bytes
    this.#turn++
  }
}

/** Steps that a row takes in Wτ, in Wρ, and in both at a time. */
interface RowSize {
  readonly tau: number
  readonly rho: number
  readonly joint: number
}

interface TilePlan {
  /** In the order of the lanes. */
  readonly rows: readonly number[]
  readonly joint: boolean
  /** Steps of each chunk; of both matrices at a time when joint. */
  readonly tau: readonly number[]
  readonly rho: readonly number[]
  readonly units: number
}

const EMPTY_ROW: LearnedRow = { tauCols: new Uint32Array(0), tauVals: new Float32Array(0), rhoCols: new Uint32Array(0), rhoVals: new Float32Array(0) }

/** Which rows share a chunk, and how long the chunks are. */
function planTiles(sizes: readonly RowSize[]): TilePlan[] {
  const plans: TilePlan[] = []
  for (let first = 0; first < sizes.length; first += SORTED_ROWS) {
    const rows = Array.from({ length: Math.min(SORTED_ROWS, sizes.length - first) }, (_, at) => first + at)
    const keys = rows.map((row) => [lengthClass(sizes[row]!.tau), sizes[row]!.rho] as const)
    rows.sort((a, b) => keys[b - first]![0] - keys[a - first]![0] || keys[b - first]![1] - keys[a - first]![1])
    for (let at = 0; at < rows.length; at += LANES * TILE_CHUNKS) plans.push(planTile(rows.slice(at, at + LANES * TILE_CHUNKS), sizes))
  }
  return plans
}

function planTile(rows: readonly number[], sizes: readonly RowSize[]): TilePlan {
  const chunks = Array.from({ length: Math.ceil(rows.length / LANES) }, (_, chunk) => rows.slice(chunk * LANES, (chunk + 1) * LANES))
  const longest = (of: keyof RowSize): number[] => chunks.map((chunk) => Math.max(...chunk.map((row) => sizes[row]![of])))
  const [tau, rho, joint] = [longest('tau'), longest('rho'), longest('joint')]
  const apart = (steps(tau) + steps(rho)) * stepUnits(1)
  const together = steps(joint) * stepUnits(2)
  if (together < apart) return { rows, joint: true, tau: joint, rho: joint.map(() => 0), units: together }
  return { rows, joint: false, tau, rho, units: apart }
}

function lengthClass(length: number): number {
  return Math.round(Math.log(length + 1) / Math.log(LENGTH_RATIO))
}

/** Rows that follow each other and fill their chunks. */
function isRun({ rows }: TilePlan): boolean {
  return rows.length > 0 && rows.length % LANES === 0 && rows.every((row, at) => row === rows[0]! + at)
}

function steps(lengths: readonly number[]): number {
  return lengths.reduce((sum, length) => sum + length, 0)
}

/** Units of a step over so many matrices. */
function stepUnits(matrices: 1 | 2): number {
  return (LANES * (2 + 4 * matrices)) / STREAM_UNIT
}

/** A phase's chunks, the longest first. */
function orderOf(lengths: readonly number[]): number[] {
  return lengths.map((length, chunk) => length * CHUNK_BASE + chunk).sort((a, b) => b - a)
}

function sizeOf(row: LearnedRow): RowSize {
  const joint = new StepCount()
  eachEdge(row, (_, column) => joint.add(column))
  return { tau: countSteps(row.tauCols), rho: countSteps(row.rhoCols), joint: joint.steps }
}

function countSteps(columns: Uint32Array): number {
  const count = new StepCount()
  for (const column of columns) count.add(column)
  return count.steps
}

/** Counts the steps to ascending columns, bridges included. */
class StepCount {
  steps = 0
  #column = 0

  add(column: number): void {
    this.steps += Math.max(1, Math.ceil((column - this.#column) / MAX_DELTA))
    this.#column = column
  }
}
