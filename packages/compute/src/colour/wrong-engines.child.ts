import { loadWasmEngine } from './wasm-engine.ts'
import { serveColours } from './worker-loop.ts'

// a worker thread whose only engine forgets the last colour
const wasm = loadWasmEngine()
serveColours({
  careless: () => ({ ...wasm, xorRuns: (kernel, seed, start, length, out) => wasm.xorRuns(kernel, seed, start, length - 1, out) }),
})
