import { type FoldKernel, type FoldStatistic, type FoldTask, MAX_ROW_EDGES, type RowSide } from '@sgsd/consensus'
import { FOLD_WASM } from './fold-wasm.generated.ts'
import { nextStage, type Stage } from './stage.ts'

/** What packages/compute/assembly/fold.ts exports, which describes the arguments. */
interface FoldModule {
  readonly memory: WebAssembly.Memory
  heapBase(): number
  setRoom(
    lines: number,
    weights: number,
    used: number,
    sums: number,
    counts: number,
    outCols: number,
    outVals: number,
    panel: number,
    tile: number,
  ): void
  foldRows(
    statistic: number,
    columns: number,
    rows: number,
    ptr: number,
    offsets: number,
    lengths: number,
    weights: number,
    cols: number,
    vals: number,
    intoPtr: number,
    intoCols: number,
    intoVals: number,
  ): number
  foldStates(statistic: number, members: number, width: number, states: number, stride: number, into: number): void
}

/** The module's numbers for the statistics. */
const STATISTICS: { readonly [S in FoldStatistic]: number } = { mean: 0, max: 1, trimmed: 2, median: 3 }

const PAGE_BYTES = 65_536

/** Alignment of arrays, bytes: a cache line. */
const ALIGNMENT = 64

/** Columns that are sorted together, and most columns of an order statistic: `line_up` of native/fold.c says why. */
const TILE = 64
const WIDEST = 3 * MAX_ROW_EDGES

/** What foldRows returns for a column outside the matrix. */
const FOREIGN = 0xffff_ffff

/** Entries of the states that go into the module at a time: those of 34 members fit the second cache. */
const STATE_CHUNK = 4_096

/**
 * The folds in WebAssembly SIMD128. The module has a memory of its own: rows go in by the megabyte, which the second cache holds.
 * @throws WebAssembly.CompileError on a V8 without SIMD128
 */
export function loadWasmFoldKernel(): FoldKernel {
  const module = new WebAssembly.Module(Buffer.from(FOLD_WASM, 'base64'))
  const open = (): FoldModule => new WebAssembly.Instance(module).exports as unknown as FoldModule
  return {
    name: 'wasm',
    about: 'WebAssembly SIMD128, 4 lanes',
    rows: (statistic, columns, task, sides, weights, into) => foldRows(open(), STATISTICS[statistic], columns, task, sides, weights, into),
    states: (statistic, states, weights, into) => foldStates(open(), STATISTICS[statistic], states, weights, into),
  }
}

function foldRows(
  wasm: FoldModule,
  statistic: number,
  columns: number,
  task: FoldTask,
  sides: readonly RowSide[],
  weights: Float64Array,
  into: RowSide,
): void {
  const rows = task.ptr.length - 1
  let most = 0
  for (let i = 0; i < rows; i++) most = Math.max(most, task.ptr[i + 1]! - task.ptr[i]!)
  const space = new Space(wasm)
  openRoom(wasm, space, columns, most)
  into.ptr[0] = 0
  for (let from = 0, end = 0; from < rows;) {
    const stage = nextStage(task, sides, weights, from)
    const written = foldStage(wasm, space.branch(), statistic, columns, sides, stage, into, end)
    for (let i = 0; i < stage.ptr.length - 1; i++) into.ptr[from + i + 1]! += end
    end += written
    from += stage.ptr.length - 1
  }
}

/** Folds the rows of one stage. @returns edges written to `into` from `end` on; its `ptr` counts them from 0 */
function foldStage(
  wasm: FoldModule,
  space: Space,
  statistic: number,
  columns: number,
  sides: readonly RowSide[],
  stage: Stage,
  into: RowSide,
  end: number,
): number {
  const rows = stage.ptr.length - 1
  const owners = stage.offsets.length
  const [ptr, offsets, lengths] = [space.take(4 * (rows + 1)), space.take(4 * owners), space.take(4 * owners)]
  const ownerWeights = space.take(8 * owners)
  const [cols, vals] = [space.take(4 * stage.edges), space.take(4 * stage.edges)]
  const [outPtr, outCols, outVals] = [space.take(4 * rows), space.take(4 * rows * MAX_ROW_EDGES), space.take(4 * rows * MAX_ROW_EDGES)]
  const buffer = space.grown()
  new Uint32Array(buffer, ptr, rows + 1).set(stage.ptr)
  new Uint32Array(buffer, offsets, owners).set(stage.offsets)
  new Uint32Array(buffer, lengths, owners).set(stage.lengths)
  new Float64Array(buffer, ownerWeights, owners).set(stage.weights)
  const stagedCols = new Uint32Array(buffer, cols, stage.edges)
  const stagedVals = new Float32Array(buffer, vals, stage.edges)
  for (const { member, from, to, at } of stage.runs) {
    stagedCols.set(sides[member]!.cols.subarray(from, to), at)
    stagedVals.set(sides[member]!.vals.subarray(from, to), at)
  }
  const written = wasm.foldRows(statistic, columns, rows, ptr, offsets, lengths, ownerWeights, cols, vals, outPtr, outCols, outVals)
  if (written >>> 0 === FOREIGN) throw new TypeError('the task does not fit the sides')
  into.ptr.set(new Uint32Array(buffer, outPtr, rows), stage.first + 1)
  into.cols.set(new Uint32Array(buffer, outCols, written), end)
  into.vals.set(new Float32Array(buffer, outVals, written), end)
  return written
}

function foldStates(wasm: FoldModule, statistic: number, states: readonly Float32Array[], weights: Float64Array, into: Float32Array): void {
  const k = states.length
  const space = new Space(wasm)
  const room = openRoom(wasm, space, 0, k)
  const staged = space.take(4 * STATE_CHUNK * k)
  const out = space.take(4 * STATE_CHUNK)
  const buffer = space.grown()
  for (let from = 0; from < into.length; from += STATE_CHUNK) {
    const width = Math.min(STATE_CHUNK, into.length - from)
    for (const [m, state] of states.entries()) new Float32Array(buffer, staged + 4 * STATE_CHUNK * m, width).set(state.subarray(from, from + width))
    new Float64Array(buffer, room.weights, k).set(weights)
    wasm.foldStates(statistic, k, width, staged, 4 * STATE_CHUNK, out)
    into.set(new Float32Array(buffer, out, width), from)
  }
}

/** Room for rows of at most `most` owners. It is all 0 in a new instance. */
function openRoom(wasm: FoldModule, space: Space, columns: number, most: number): { readonly weights: number } {
  const lines = space.take(4 * most)
  const weights = space.take(8 * most)
  const [used, sums, counts] = [space.take(8 * ((columns + 63) >>> 6)), space.take(8 * columns), space.take(4 * columns)]
  const [outCols, outVals] = [space.take(4 * (columns + WIDEST)), space.take(4 * (columns + WIDEST))]
  const [panel, tile] = [space.take(4 * WIDEST * most), space.take(4 * TILE * most)]
  wasm.setRoom(lines, weights, used, sums, counts, outCols, outVals, panel, tile)
  return { weights }
}

/** Hands out the memory of a module, front to back. */
class Space {
  readonly #wasm: FoldModule
  #end: number

  constructor(wasm: FoldModule, end: number = wasm.heapBase()) {
    this.#wasm = wasm
    this.#end = end
  }

  take(bytes: number): number {
    const at = this.#end
    this.#end = Math.ceil((at + bytes) / ALIGNMENT) * ALIGNMENT
    return at
  }

  /** Goes on behind what is taken, without taking it: the next branch has the same memory. */
  branch(): Space {
    return new Space(this.#wasm, this.#end)
  }

  /** The memory, grown to what was taken. */
  grown(): ArrayBuffer {
    const { memory } = this.#wasm
    const missing = this.#end - memory.buffer.byteLength
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES))
    return memory.buffer
  }
}
