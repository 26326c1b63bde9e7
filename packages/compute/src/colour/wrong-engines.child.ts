import { careless } from './careless.fixture.ts'
import { loadWasmEngine } from './wasm-engine.ts'
import { serveColours } from './worker-loop.ts'

// a worker thread whose only engine is wrong
serveColours({ careless: () => careless(loadWasmEngine()) })
