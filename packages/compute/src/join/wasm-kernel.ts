import { JOIN_WASM } from './join-wasm.generated.ts'
import { bufferLength, type FoundRows, type JoinKernel, type LoadedJoin } from './kernel.ts'
import type { JoinPlan } from './plan.ts'

/** What packages/compute/assembly/join.ts exports. */
interface JoinWasm {
  readonly memory: WebAssembly.Memory
  heapBase(): number
  setPlan(rows: number, ...pointers: readonly number[]): void
  joinRows(
    from: number,
    to: number,
    top: number,
    need: number,
    classes: number,
    counts: number,
    positions: number,
    shared: number,
    room: number,
  ): number
}

const PAGE = 65_536

/** Bytes behind the counters that the search may read. */
const PADDING = 64

/**
 * The join in WebAssembly SIMD128. Each plan has an instance of its own, whose memory goes with it.
 * @throws WebAssembly.CompileError on a V8 without SIMD128
 */
export function loadWasmKernel(): JoinKernel {
  const module = new WebAssembly.Module(Buffer.from(JOIN_WASM, 'base64'))
  return { name: 'wasm', about: 'WebAssembly SIMD128, 8 lanes', load: (plan, top) => loaded(module, plan, top) }
}

function loaded(module: WebAssembly.Module, plan: JoinPlan, top: number): LoadedJoin {
  const wasm = new WebAssembly.Instance(module).exports as unknown as JoinWasm
  const length = bufferLength(plan, top)
  const { rows, ranks, rowOf, ptr, tokens, postPtr, posts, sizes, starts, skips } = plan
  const arrays = [rowOf, ptr, tokens, postPtr, posts, sizes, starts, skips]
  let end = wasm.heapBase()
  const take = (bytes: number): number => {
    const place = end
    end += (bytes + 15) & ~15
    return place
  }
  const places = arrays.map(({ byteLength }) => take(byteLength))
  const counters = take(2 * rows + PADDING)
  const marks = take(ranks)
  const need = take(sizes.byteLength)
  const counts = take(4 * rows)
  const positions = take(4 * length)
  const shared = take(4 * length)
  const missing = end - wasm.memory.buffer.byteLength
  if (missing > 0) wasm.memory.grow(Math.ceil(missing / PAGE))
  const { buffer } = wasm.memory
  arrays.forEach((array, at) => new Uint32Array(buffer, places[at], array.length).set(array))
  wasm.setPlan(rows, ...places, counters, marks)
  const view = (place: number, entries: number): Uint32Array => new Uint32Array(buffer, place, entries)
  return {
    rows(from, to, needed): FoundRows {
      view(need, sizes.length).set(needed)
      const done = wasm.joinRows(from, to, Math.min(top, rows), need, sizes.length, counts, positions, shared, length)
      const finished = view(counts, done)
      const written = finished.reduce((sum, count) => sum + count, 0)
      return { counts: finished, positions: view(positions, written), shared: view(shared, written) }
    },
  }
}
