import type * as OrtModule from 'onnxruntime-node'

/** What this package uses of ONNX Runtime. */
export type Ort = Pick<typeof OrtModule, 'InferenceSession' | 'Tensor' | 'env' | 'listSupportedBackends'>

/** Execution providers that may do production work, the likeliest best first. The CPU provider is not among them: wasm is several times faster. */
export const PROVIDERS = ['cuda', 'coreml', 'dml', 'webgpu'] as const

export type ProviderName = (typeof PROVIDERS)[number]

/** Names as people read them. */
export const PROVIDER_TITLES: Readonly<Record<ProviderName, string>> = { cuda: 'CUDA', coreml: 'CoreML', dml: 'DirectML', webgpu: 'WebGPU' }

/** CoreML: the MLProgram format (0x10), on CPU and GPU without the neural engine (0x20), which computes in 16 bits. */
const COREML_FLAGS = 0x30

/** Log level "fatal": what a provider says about its failure is read from its error and standard error, not from the daemon's log. */
const LOG_SEVERITY_FATAL = 4

/**
 * Loads ONNX Runtime: about 50 MB of native library, so only where a provider is to be tried.
 * @throws when the optional dependency is not installed, or its library does not load here
 */
export async function loadOrt(): Promise<Ort> {
  const { default: ort } = await import('onnxruntime-node')
  return ort
}

/**
 * A session on exactly one provider: creation fails if any node of the graph would land on the CPU.
 * @param provider - `cpu` only in tests, to show that the graph computes the same step
 */
export function createSession(ort: Ort, model: Uint8Array, provider: ProviderName | 'cpu'): Promise<OrtModule.InferenceSession> {
  return ort.InferenceSession.create(model, {
    executionProviders: [provider === 'coreml' ? { name: 'coreml', coreMlFlags: COREML_FLAGS } : provider],
    intraOpNumThreads: 1,
    logSeverityLevel: LOG_SEVERITY_FATAL,
    extra: {
      session: {
        'intra_op.allow_spinning': '0',
        ...(provider === 'cpu' ? {} : { disable_cpu_ep_fallback: '1' }),
      },
    },
  })
}
