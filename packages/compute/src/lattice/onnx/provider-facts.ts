import { execFile } from 'node:child_process'
import { accessSync, constants, readFileSync } from 'node:fs'
import { release } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { hasGpuDevice, type Machine, thisMachine } from '../../machine.ts'

/** What execution providers depend on, found in this machine's files. */
export interface ProviderFacts {
  readonly platform: NodeJS.Platform
  readonly arch: string
  /** Of the kernel: `25.1.0` is macOS 26, `10.0.26100` a Windows 11. */
  readonly release: string
  /** Folder of ONNX Runtime's native library, or undefined when the optional package is not installed. */
  readonly ortFolder: string | undefined
  /** What stands in it; nothing when the package has no library for this platform. */
  readonly ortFiles: readonly string[]
  /** Linux: device files of GPUs, with whether this user may use them. */
  readonly devices: readonly { readonly path: string; readonly usable: boolean }[]
  /** Linux: the PCI bus shows an NVIDIA display controller. */
  readonly nvidiaOnBus: boolean
  /** Version of NVIDIA's kernel driver, where it is loaded. */
  readonly nvidiaDriver: string | undefined
  /** Names of the NVIDIA cards. */
  readonly nvidiaCards: readonly string[]
  /** Linux: those of `LIBRARIES` that the loader finds. */
  readonly libraries: ReadonlySet<string>
  /** Linux: folder of each that is on this machine where the loader does not look. */
  readonly stray: ReadonlyMap<string, string>
  /** Linux: manifests of Vulkan drivers, those that the environment names before the installed ones. */
  readonly vulkanDrivers: readonly string[]
  /** The environment names the Vulkan drivers to load. */
  readonly vulkanChosen: boolean
}

/** What `libonnxruntime_providers_cuda.so` loads of CUDA 12 and cuDNN 9. */
export const CUDA_LIBRARIES = [
  'libcuda.so.1',
  'libcudart.so.12',
  'libcublas.so.12',
  'libcublasLt.so.12',
  'libcurand.so.10',
  'libcufft.so.11',
  'libnvrtc.so.12',
  'libcudnn.so.9',
] as const

export const VULKAN_LOADER = 'libvulkan.so.1'

/** Shared libraries that are looked for. */
export const LIBRARIES: readonly string[] = [...CUDA_LIBRARIES, VULKAN_LOADER]

/** Where the installers of CUDA and Windows' Linux put libraries that the loader may not know of. */
const STRAY_FOLDERS = ['/usr/local/cuda/lib64', '/usr/local/cuda-12/lib64', '/opt/cuda/lib64', '/usr/lib/wsl/lib']

const VULKAN_FOLDERS = ['/etc/vulkan/icd.d', '/usr/local/etc/vulkan/icd.d', '/usr/local/share/vulkan/icd.d', '/usr/share/vulkan/icd.d']

/** Variables that name a Vulkan driver to load, such as a software one in tests. */
const VULKAN_VARIABLES = ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES', 'VK_ADD_DRIVER_FILES'] as const

/** How long `ldconfig` and `nvidia-smi` may take, ms. */
const COMMAND_DEADLINE_MS = 3_000

/** PCI: vendor NVIDIA, and the class of display controllers. */
const PCI_NVIDIA = '0x10de'
const PCI_DISPLAY = /^0x03/

/**
 * Reads the facts. Loads nothing, and starts no command where no GPU can be seen: most machines have none.
 * @param thorough - look everything up all the same, for somebody who asks for a provider by name
 */
export async function gatherProviderFacts(
  thorough: boolean,
  machine: Machine = thisMachine(),
  env: NodeJS.ProcessEnv = process.env,
): Promise<ProviderFacts> {
  const { platform, arch, ortFolder } = machine
  const named = VULKAN_VARIABLES.flatMap((name) => (env[name] ?? '').split(':')).filter((path) => path !== '')
  const linux = platform === 'linux'
  const look = linux && (thorough || named.length > 0 || hasGpuDevice(machine))
  const known = look ? await loaderLibraries(machine, env) : new Set<string>()
  const nvidiaDriver = linux ? driverVersion(machine) : undefined
  return {
    platform,
    arch,
    release: release(),
    ortFolder,
    ortFiles: ortFolder === undefined ? [] : machine.list(ortFolder),
    devices: linux ? gpuDevices(machine) : [],
    nvidiaOnBus: linux && isNvidiaOnBus(machine),
    nvidiaDriver,
    nvidiaCards: look && (nvidiaDriver !== undefined || machine.exists('/dev/dxg')) ? await nvidiaCards() : [],
    libraries: new Set(LIBRARIES.filter((name) => known.has(name))),
    stray: new Map(look ? LIBRARIES.filter((name) => !known.has(name)).flatMap((name) => strayFolder(machine, name)) : []),
    vulkanDrivers: look ? [...named, ...VULKAN_FOLDERS.flatMap((folder) => manifestsIn(machine, folder))] : [],
    vulkanChosen: named.length > 0,
  }
}

/** Names of the shared libraries that the loader finds: LD_LIBRARY_PATH, then its cache, then its own folders. */
async function loaderLibraries(machine: Machine, env: NodeJS.ProcessEnv): Promise<ReadonlySet<string>> {
  const triplet = machine.arch === 'x64' ? 'x86_64-linux-gnu' : 'aarch64-linux-gnu'
  const own = ['/lib', '/usr/lib', '/lib64', '/usr/lib64', `/lib/${triplet}`, `/usr/lib/${triplet}`]
  const folders = [...(env['LD_LIBRARY_PATH'] ?? '').split(':').filter((folder) => folder !== ''), ...own]
  const cache = await output('/sbin/ldconfig', ['-p'])
  return new Set([
    ...[...cache.matchAll(/^\s+(\S+)\s.*=>/gm)].map(([, name]) => name!),
    ...LIBRARIES.filter((name) => folders.some((folder) => machine.exists(join(folder, name)))),
  ])
}

function strayFolder(machine: Machine, name: string): [string, string][] {
  const folder = STRAY_FOLDERS.find((each) => machine.exists(join(each, name)))
  return folder === undefined ? [] : [[name, folder]]
}

function gpuDevices(machine: Machine): ProviderFacts['devices'] {
  const paths = [
    ...machine.list('/dev').flatMap((name) => (/^(nvidia\d+|dxg)$/.test(name) ? [`/dev/${name}`] : [])),
    ...machine.list('/dev/dri').flatMap((name) => (name.startsWith('renderD') ? [`/dev/dri/${name}`] : [])),
  ]
  return paths.map((path) => ({ path, usable: isUsable(path) }))
}

function isUsable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK)
    return true
  } catch {
    return false
  }
}

function isNvidiaOnBus(machine: Machine): boolean {
  const bus = '/sys/bus/pci/devices'
  return machine.list(bus).some((slot) => textOf(`${bus}/${slot}/vendor`) === PCI_NVIDIA && PCI_DISPLAY.test(textOf(`${bus}/${slot}/class`)))
}

function driverVersion(machine: Machine): string | undefined {
  const file = '/proc/driver/nvidia/version'
  if (!machine.exists(file)) return undefined
  return /Kernel Module.*?\s(\d+(?:\.\d+)+)/.exec(textOf(file))?.[1] ?? 'of an unknown version'
}

/** `GPU 0: NVIDIA H100 80GB HBM3 (UUID: …)` a line. */
async function nvidiaCards(): Promise<readonly string[]> {
  const text = (await output('nvidia-smi', ['-L'])) || (await output('/usr/lib/wsl/lib/nvidia-smi', ['-L']))
  return [...text.matchAll(/^GPU \d+: (.+?)(?: \(UUID.*)?$/gm)].map(([, name]) => name!)
}

function manifestsIn(machine: Machine, folder: string): string[] {
  return machine.list(folder).flatMap((name) => (name.endsWith('.json') ? [`${folder}/${name}`] : []))
}

/** Trimmed; '' when it cannot be read. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return ''
  }
}

/** What a command prints; '' when it is missing, fails or takes too long. */
async function output(command: string, args: readonly string[]): Promise<string> {
  try {
    return (await promisify(execFile)(command, args, { timeout: COMMAND_DEADLINE_MS, maxBuffer: 2 ** 22 })).stdout
  } catch {
    return ''
  }
}
