import { loadReferenceEngine } from './reference-engine.ts'
import { loadWasmEngine } from './wasm-engine.ts'
import { serveColours } from './worker-loop.ts'

/** The seed that the card dies of, as mixed-engines.test.ts knows it. */
const EXITS = 0xdead_0001n

// a worker thread with an engine that one thread feeds, as a GPU, and one for every core
serveColours({
  card: () => {
    const wasm = loadWasmEngine()
    return {
      ...wasm,
      name: 'card',
      about: 'a card',
      threads: 1,
      xorRuns(kernel, seed, start, length, out) {
        if (seed === EXITS) process.exit(3)
        return wasm.xorRuns(kernel, seed, start, length, out)
      },
    }
  },
  reference: loadReferenceEngine,
})
