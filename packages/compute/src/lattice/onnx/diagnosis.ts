import { join } from 'node:path'
import { type ProviderName, PROVIDER_TITLES } from '../../onnx/ort.ts'
import { CUDA_LIBRARIES, type ProviderFacts, VULKAN_LOADER } from './provider-facts.ts'

/** What the facts say of one provider. */
export interface Diagnosis {
  /** `off`: this platform never has it. `missing`: it could be here, but something is not. `try`: worth a probe. */
  readonly state: 'off' | 'missing' | 'try'
  /** One sentence: what is missing, by its file's name, or what it would run on. */
  readonly why: string
  /** What to type or to install, or ''. */
  readonly mend: string
}

/** Platforms for which onnxruntime-node is built with the provider. */
const HOMES: Readonly<Record<ProviderName, readonly string[]>> = {
  cuda: ['linux-x64'],
  coreml: ['darwin-arm64', 'darwin-x64'],
  dml: ['win32-x64', 'win32-arm64'],
  webgpu: ['linux-x64', 'darwin-arm64', 'darwin-x64', 'win32-x64', 'win32-arm64'],
}

/** Darwin's release from which macOS (12) has the MLProgram format. */
const MLPROGRAM_DARWIN = 21

/** Windows' build from which it has DirectML's feature level (10, version 1903). */
const DIRECTML_BUILD = 18_362

/** What to do about a provider whose parts are all here and that does not work all the same. */
export const PROBE_MENDS: Readonly<Record<ProviderName, string>> = {
  cuda: 'nvidia-smi -L must name the card, and its driver be one for CUDA 12 (525 or newer)',
  webgpu: 'update the driver of the card; on Linux, vulkaninfo --summary must name it, with Vulkan 1.1 or newer',
  coreml: 'update macOS',
  dml: 'update Windows and the driver of the card',
}

/** Debian's packages of CUDA's libraries, in NVIDIA's repository. */
const PACKAGES: Readonly<Record<(typeof CUDA_LIBRARIES)[number], string>> = {
  'libcuda.so.1': 'libcuda1',
  'libcudart.so.12': 'cuda-cudart-12-9',
  'libcublas.so.12': 'libcublas-12-9',
  'libcublasLt.so.12': 'libcublas-12-9',
  'libcurand.so.10': 'libcurand-12-9',
  'libcufft.so.11': 'libcufft-12-9',
  'libnvrtc.so.12': 'cuda-nvrtc-12-9',
  'libcudnn.so.9': 'libcudnn9-cuda-12',
}

/** Decides from facts alone whether a provider is worth loading ONNX Runtime for, about 50 MB, and if not, what is missing. Pure. */
export function diagnose(provider: ProviderName, facts: ProviderFacts): Diagnosis {
  const { platform, arch, ortFolder, ortFiles } = facts
  const here = `${platform}-${arch}`
  if (!HOMES[provider].some((home) => home.startsWith(`${platform}-`))) return off(`${provider} does not exist on ${platform}`)
  if (ortFolder === undefined) {
    return missing('the optional package onnxruntime-node is not installed', 'install sgsd again without leaving out optional packages')
  }
  if (ortFiles.length === 0) return missing(`onnxruntime-node has no library for ${here}`, '')
  if (!HOMES[provider].includes(here)) return off(`onnxruntime-node for ${here} is built without ${PROVIDER_TITLES[provider]}`)
  switch (provider) {
    case 'cuda':
      return cuda(facts, ortFolder)
    case 'webgpu':
      return webgpu(facts)
    case 'coreml':
      return coreml(facts)
    case 'dml':
      return dml(facts)
  }
}

function cuda(facts: ProviderFacts, ortFolder: string): Diagnosis {
  const { devices, nvidiaDriver, nvidiaOnBus } = facts
  const device = devices.find(({ path }) => /^\/dev\/(nvidia\d+|dxg)$/.test(path))
  if (device === undefined) {
    if (nvidiaDriver !== undefined) {
      return missing(
        `NVIDIA's driver ${nvidiaDriver} is loaded, but its device /dev/nvidia0 is not here`,
        'in a container: start it with --gpus all; elsewhere: nvidia-modprobe',
      )
    }
    if (nvidiaOnBus) {
      return missing(
        'there is an NVIDIA card, but its driver is not loaded (/proc/driver/nvidia/version is missing)',
        "install NVIDIA's driver (Debian: apt-get install nvidia-driver, Ubuntu: ubuntu-drivers install), restart, and try nvidia-smi -L",
      )
    }
    return missing('there is no NVIDIA device (/dev/nvidia0)', '')
  }
  if (!device.usable) return missing(`${cardOf(facts)}: this user may not open ${device.path}`, `let it: ls -l ${device.path} names the group`)
  const bridges = ['libonnxruntime_providers_shared.so', 'libonnxruntime_providers_cuda.so'].filter((file) => !facts.ortFiles.includes(file))
  const libraries = CUDA_LIBRARIES.filter((name) => !facts.libraries.has(name))
  if (bridges.length === 0 && libraries.length === 0) return { state: 'try', why: cardOf(facts), mend: '' }
  const said = [
    ...(bridges.length === 0 ? [] : [`${list(bridges)} ${are(bridges)} not beside onnxruntime_binding.node in ${ortFolder}`]),
    ...(libraries.length === 0 ? [] : [`${list(libraries)} ${are(libraries)} missing`]),
  ]
  const mends = [
    ...(bridges.length === 0 ? [] : [`node ${join(ortFolder, '../../../..', 'script', 'install.js')} --onnxruntime-node-install=cuda12`]),
    ...libraryMends(libraries, facts),
  ]
  return missing(`${cardOf(facts)}: ${said.join('; ')}`, mends.join('; '))
}

function libraryMends(libraries: readonly (typeof CUDA_LIBRARIES)[number][], { stray }: ProviderFacts): string[] {
  const folders = new Set(libraries.flatMap((name) => stray.get(name) ?? []))
  const packages = new Set(libraries.filter((name) => !stray.has(name)).map((name) => PACKAGES[name]))
  return [
    ...(folders.size === 0 ? [] : [`they are here, where the loader does not look: export LD_LIBRARY_PATH=${[...folders].join(':')}`]),
    ...(packages.size === 0 ? [] : [`apt-get install ${[...packages].join(' ')} (of NVIDIA's repository; other systems: CUDA 12 and cuDNN 9)`]),
  ]
}

function webgpu(facts: ProviderFacts): Diagnosis {
  const { platform, devices, libraries, vulkanDrivers, vulkanChosen } = facts
  if (platform === 'darwin') return { state: 'try', why: `Metal on ${macOs(facts)}`, mend: '' }
  if (platform === 'win32') return { state: 'try', why: `Direct3D 12 on Windows ${facts.release}`, mend: '' }
  if (devices.length === 0 && !vulkanChosen) return missing('there is no GPU device (/dev/dri/renderD*, /dev/nvidia*, /dev/dxg)', '')
  if (!libraries.has(VULKAN_LOADER)) {
    return missing(`${VULKAN_LOADER}, the Vulkan loader, is missing`, 'apt-get install libvulkan1 (Fedora: dnf install vulkan-loader)')
  }
  if (vulkanDrivers.length === 0) {
    const package_ = facts.nvidiaDriver === undefined ? 'mesa-vulkan-drivers' : 'nvidia-vulkan-icd'
    return missing(
      'no Vulkan driver is installed (no manifest in /usr/share/vulkan/icd.d or /etc/vulkan/icd.d)',
      `apt-get install ${package_}; vulkaninfo --summary shows what is found`,
    )
  }
  if (devices.length > 0 && devices.every(({ usable }) => !usable) && !vulkanChosen) {
    return missing(`this user may not open ${list(devices.map(({ path }) => path))}`, 'usermod -aG render,video <user>, then log in again')
  }
  return { state: 'try', why: `Vulkan by ${list(vulkanDrivers.map((path) => path.slice(path.lastIndexOf('/') + 1)))}`, mend: '' }
}

function coreml(facts: ProviderFacts): Diagnosis {
  if (majorOf(facts.release) < MLPROGRAM_DARWIN) {
    return missing(`${macOs(facts)} is too old: CoreML has programs from macOS 12 on`, 'update macOS')
  }
  return { state: 'try', why: `${macOs(facts)} on ${facts.arch}`, mend: '' }
}

function dml({ release, ortFiles }: ProviderFacts): Diagnosis {
  if (Number(release.split('.')[2] ?? 0) < DIRECTML_BUILD) {
    return missing(`Windows ${release} is too old: DirectML needs 10.0.${DIRECTML_BUILD} or newer`, 'update Windows')
  }
  if (!ortFiles.includes('DirectML.dll')) return missing('DirectML.dll is not beside onnxruntime_binding.node', 'install onnxruntime-node again')
  return { state: 'try', why: `Windows ${release}`, mend: '' }
}

function cardOf({ nvidiaCards, nvidiaDriver }: ProviderFacts): string {
  const driver = nvidiaDriver === undefined ? '' : `, driver ${nvidiaDriver}`
  return `${nvidiaCards.length === 0 ? 'an NVIDIA card' : list(nvidiaCards)}${driver}`
}

/** Darwin 20 was macOS 11; from 25 on, macOS has the next year's number. */
function macOs({ release }: ProviderFacts): string {
  const darwin = majorOf(release)
  return darwin >= 25 ? `macOS ${darwin + 1}` : darwin >= 20 ? `macOS ${darwin - 9}` : `macOS with Darwin ${release}`
}

function majorOf(release: string): number {
  return Number(release.split('.')[0])
}

function list(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}

function are(names: readonly string[]): string {
  return names.length === 1 ? 'is' : 'are'
}

function off(why: string): Diagnosis {
  return { state: 'off', why, mend: '' }
}

function missing(why: string, mend: string): Diagnosis {
  return { state: 'missing', why, mend }
}
