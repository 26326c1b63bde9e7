import { join } from 'node:path'
import { hasGpuDevice, type Machine } from '../../machine.ts'
import type { ProviderName } from '../../onnx/ort.ts'

/** `off` = this platform never has it; `missing` = it could be here, but something is not; `try` = worth a probe. */
export interface Plausibility {
  readonly state: 'off' | 'missing' | 'try'
  readonly why: string
}

/**
 * Decides from files alone whether a provider is worth loading ONNX Runtime for: the library takes about 50 MB,
 * and most machines have no GPU.
 */
export function plausibility(provider: ProviderName, machine: Machine): Plausibility {
  const home = HOMES[provider]
  if (!home.includes(machine.platform)) return { state: 'off', why: `${provider} does not exist on ${machine.platform}` }
  if (machine.ortFolder === undefined) return { state: 'missing', why: 'the optional package onnxruntime-node is not installed' }
  if (!machine.exists(machine.ortFolder)) {
    return { state: 'missing', why: `onnxruntime-node has no library for ${machine.platform}-${machine.arch}` }
  }
  if (provider === 'cuda') return cuda(machine, machine.ortFolder)
  if (provider === 'webgpu' && machine.platform === 'linux' && !hasGpuDevice(machine)) {
    return { state: 'missing', why: 'there is no GPU device (/dev/dri/renderD*, /dev/nvidia*, /dev/dxg)' }
  }
  return { state: 'try', why: 'the platform has it' }
}

const HOMES: Readonly<Record<ProviderName, readonly NodeJS.Platform[]>> = {
  cuda: ['linux', 'win32'],
  coreml: ['darwin'],
  dml: ['win32'],
  webgpu: ['linux', 'darwin', 'win32'],
}

function cuda(machine: Machine, folder: string): Plausibility {
  if (machine.platform === 'linux' && !machine.list('/dev').some((name) => /^(nvidia\d+|dxg)$/.test(name))) {
    return { state: 'missing', why: 'there is no NVIDIA device (/dev/nvidia0)' }
  }
  const [prefix, suffix] = machine.platform === 'win32' ? ['', '.dll'] : ['lib', '.so']
  for (const library of ['onnxruntime_providers_shared', 'onnxruntime_providers_cuda']) {
    const file = `${prefix}${library}${suffix}`
    if (!machine.exists(join(folder, file))) return { state: 'missing', why: `${file} is not beside onnxruntime_binding.node in ${folder}` }
  }
  return { state: 'try', why: 'an NVIDIA device and the CUDA provider library are here' }
}
