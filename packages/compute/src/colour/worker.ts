import { loadReferenceEngine } from './reference-engine.ts'
import { loadWasmEngine } from './wasm-engine.ts'
import { serveColours } from './worker-loop.ts'

serveColours({ wasm: loadWasmEngine, reference: loadReferenceEngine })
