import { loadReferenceEngine } from './reference-engine.ts'
import { loadWasmEngine } from './wasm-engine.ts'
import { serveColours } from './worker-loop.ts'

/** Seeds that the engine dies of, as pool.test.ts knows them. */
const EXITS = 0xdead_0001n
const THROWS = 0xdead_0002n

const wasm = loadWasmEngine()

// a worker thread like the real one, with an engine that can be told to die
serveColours({
  mortal: () => ({
    ...wasm,
    name: 'mortal',
    xorRuns(kernel, seed, start, length, out) {
      if (seed === EXITS) process.exit(3)
      if (seed === THROWS) throw new Error('the device is gone')
      return wasm.xorRuns(kernel, seed, start, length, out)
    },
  }),
  reference: loadReferenceEngine,
})
