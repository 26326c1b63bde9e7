import type { EngineLoaders } from './engine.ts'
import { loadNativeEngine } from './native-engine.ts'
import { loadOnnxEngine } from './onnx/onnx-engine.ts'
import { loadReferenceEngine } from './reference-engine.ts'
import { loadWasmEngine } from './wasm-engine.ts'
import { loadWebgpuEngine } from './webgpu/webgpu-engine.ts'

/** Every engine there is, in the order in which they are tried and reported; the last is always there. */
export const ENGINE_LOADERS: EngineLoaders = {
  native: () => loadNativeEngine(),
  webgpu: loadWebgpuEngine,
  wasm: loadWasmEngine,
  onnx: loadOnnxEngine,
  reference: loadReferenceEngine,
}
