import { careless } from './careless.fixture.ts'
import { loadReferenceEngine } from './reference-engine.ts'
import { loadWasmEngine } from './wasm-engine.ts'
import { serveColours } from './worker-loop.ts'

// a worker thread whose fastest engine is wrong, beside a slow one that is right
serveColours({ careless: () => careless(loadWasmEngine()), reference: loadReferenceEngine })
