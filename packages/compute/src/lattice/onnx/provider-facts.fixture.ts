import { LIBRARIES, type ProviderFacts } from './provider-facts.ts'

/** A Linux machine with ONNX Runtime and without a GPU, but for what is said. */
export function providerFacts(given: Partial<ProviderFacts>): ProviderFacts {
  return {
    platform: 'linux',
    arch: 'x64',
    release: '6.1.0-18-amd64',
    ortFolder: '/app/node_modules/onnxruntime-node/bin/napi-v6/linux/x64',
    ortFiles: ['libonnxruntime.so.1', 'onnxruntime_binding.node'],
    devices: [],
    nvidiaOnBus: false,
    nvidiaDriver: undefined,
    nvidiaCards: [],
    libraries: new Set(),
    stray: new Map(),
    vulkanDrivers: [],
    vulkanChosen: false,
    ...given,
  }
}

/** A Linux machine on which CUDA and Vulkan are complete. */
export const GPU_BOX: ProviderFacts = providerFacts({
  ortFiles: ['libonnxruntime.so.1', 'onnxruntime_binding.node', 'libonnxruntime_providers_shared.so', 'libonnxruntime_providers_cuda.so'],
  devices: [
    { path: '/dev/nvidia0', usable: true },
    { path: '/dev/dri/renderD128', usable: true },
  ],
  nvidiaOnBus: true,
  nvidiaDriver: '550.54.15',
  nvidiaCards: ['NVIDIA H100 80GB HBM3'],
  libraries: new Set(LIBRARIES),
  vulkanDrivers: ['/usr/share/vulkan/icd.d/nvidia_icd.json'],
})
