import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type ProviderName, PROVIDERS } from '../../onnx/ort.ts'
import { diagnose } from './diagnosis.ts'
import { GPU_BOX, providerFacts } from './provider-facts.fixture.ts'
import { CUDA_LIBRARIES, gatherProviderFacts, LIBRARIES, type ProviderFacts } from './provider-facts.ts'

const MAC: ProviderFacts = providerFacts({ platform: 'darwin', arch: 'arm64', release: '25.1.0', ortFolder: '/ort', ortFiles: ['x.node'] })
const WINDOWS: ProviderFacts = providerFacts({ platform: 'win32', release: '10.0.26100', ortFiles: ['DirectML.dll', 'onnxruntime_binding.node'] })

function without(names: readonly string[]): ReadonlySet<string> {
  return new Set(LIBRARIES.filter((name) => !names.includes(name)))
}

interface Case {
  readonly name: string
  readonly provider: ProviderName
  readonly facts: ProviderFacts
  readonly state: 'off' | 'missing' | 'try'
  readonly why: RegExp
  readonly mend?: RegExp
}

const CASES: readonly Case[] = [
  { name: 'of another platform', provider: 'cuda', facts: MAC, state: 'off', why: /cuda does not exist on darwin/ },
  { name: 'of another platform', provider: 'coreml', facts: GPU_BOX, state: 'off', why: /linux/ },
  { name: 'of another platform', provider: 'dml', facts: GPU_BOX, state: 'off', why: /linux/ },
  { name: 'not in the build', provider: 'webgpu', facts: { ...GPU_BOX, arch: 'arm64' }, state: 'off', why: /linux-arm64 is built without WebGPU/ },
  {
    name: 'without the package',
    provider: 'cuda',
    facts: { ...GPU_BOX, ortFolder: undefined },
    state: 'missing',
    why: /onnxruntime-node is not installed/,
    mend: /optional/,
  },
  {
    name: 'without a build',
    provider: 'webgpu',
    facts: { ...GPU_BOX, arch: 'riscv64', ortFiles: [] },
    state: 'missing',
    why: /no library for linux-riscv64/,
  },
  { name: 'without a card', provider: 'cuda', facts: providerFacts({}), state: 'missing', why: /no NVIDIA device \(\/dev\/nvidia0\)/ },
  {
    name: 'without its driver',
    provider: 'cuda',
    facts: providerFacts({ nvidiaOnBus: true }),
    state: 'missing',
    why: /driver is not loaded \(\/proc\/driver\/nvidia\/version/,
    mend: /nvidia-driver.*nvidia-smi -L/,
  },
  {
    name: 'in a container without the device',
    provider: 'cuda',
    facts: { ...GPU_BOX, devices: [] },
    state: 'missing',
    why: /driver 550\.54\.15 is loaded, but its device/,
    mend: /--gpus all/,
  },
  {
    name: 'that this user may not open',
    provider: 'cuda',
    facts: { ...GPU_BOX, devices: [{ path: '/dev/nvidia0', usable: false }] },
    state: 'missing',
    why: /H100.*may not open \/dev\/nvidia0/,
    mend: /ls -l/,
  },
  {
    name: 'without the provider libraries',
    provider: 'cuda',
    facts: { ...GPU_BOX, ortFiles: ['onnxruntime_binding.node'] },
    state: 'missing',
    why: /H100.*libonnxruntime_providers_shared\.so and libonnxruntime_providers_cuda\.so are not beside onnxruntime_binding\.node/,
    mend: /^node \/app\/node_modules\/onnxruntime-node\/script\/install\.js --onnxruntime-node-install=cuda12$/,
  },
  {
    name: 'without cuDNN',
    provider: 'cuda',
    facts: { ...GPU_BOX, libraries: without(['libcudnn.so.9']) },
    state: 'missing',
    why: /^NVIDIA H100 80GB HBM3, driver 550\.54\.15: libcudnn\.so\.9 is missing$/,
    mend: /apt-get install libcudnn9-cuda-12 /,
  },
  {
    name: 'with CUDA where the loader does not look',
    provider: 'cuda',
    facts: {
      ...GPU_BOX,
      libraries: without(['libcudart.so.12', 'libcublas.so.12', 'libcudnn.so.9']),
      stray: new Map([
        ['libcudart.so.12', '/usr/local/cuda/lib64'],
        ['libcublas.so.12', '/usr/local/cuda/lib64'],
      ]),
    },
    state: 'missing',
    why: /libcudart\.so\.12, libcublas\.so\.12 and libcudnn\.so\.9 are missing/,
    mend: /export LD_LIBRARY_PATH=\/usr\/local\/cuda\/lib64; apt-get install libcudnn9-cuda-12 /,
  },
  { name: 'complete', provider: 'cuda', facts: GPU_BOX, state: 'try', why: /^NVIDIA H100 80GB HBM3, driver 550\.54\.15$/ },
  { name: 'without a card', provider: 'webgpu', facts: providerFacts({}), state: 'missing', why: /no GPU device/ },
  {
    name: 'without the Vulkan loader',
    provider: 'webgpu',
    facts: { ...GPU_BOX, libraries: without(['libvulkan.so.1']) },
    state: 'missing',
    why: /^libvulkan\.so\.1, the Vulkan loader, is missing$/,
    mend: /apt-get install libvulkan1/,
  },
  {
    name: 'without a Vulkan driver',
    provider: 'webgpu',
    facts: { ...GPU_BOX, nvidiaDriver: undefined, vulkanDrivers: [] },
    state: 'missing',
    why: /no Vulkan driver.*\/usr\/share\/vulkan\/icd\.d/,
    mend: /mesa-vulkan-drivers/,
  },
  {
    name: 'that this user may not open',
    provider: 'webgpu',
    facts: { ...GPU_BOX, devices: [{ path: '/dev/dri/renderD128', usable: false }] },
    state: 'missing',
    why: /may not open \/dev\/dri\/renderD128/,
    mend: /usermod -aG render/,
  },
  { name: 'complete', provider: 'webgpu', facts: GPU_BOX, state: 'try', why: /^Vulkan by nvidia_icd\.json$/ },
  {
    name: 'with a software driver that the environment names',
    provider: 'webgpu',
    facts: providerFacts({ libraries: new Set(['libvulkan.so.1']), vulkanDrivers: ['/x/vk_swiftshader_icd.json'], vulkanChosen: true }),
    state: 'try',
    why: /vk_swiftshader_icd\.json/,
  },
  { name: 'on a Mac', provider: 'webgpu', facts: MAC, state: 'try', why: /^Metal on macOS 26$/ },
  { name: 'on Windows', provider: 'webgpu', facts: WINDOWS, state: 'try', why: /Direct3D 12/ },
  { name: 'on a Mac', provider: 'coreml', facts: MAC, state: 'try', why: /^macOS 26 on arm64$/ },
  {
    name: 'on an old Mac',
    provider: 'coreml',
    facts: { ...MAC, release: '20.6.0' },
    state: 'missing',
    why: /^macOS 11 is too old/,
    mend: /update macOS/,
  },
  { name: 'on an Intel Mac', provider: 'coreml', facts: { ...MAC, arch: 'x64', ortFiles: [] }, state: 'missing', why: /no library for darwin-x64/ },
  { name: 'on Windows', provider: 'dml', facts: WINDOWS, state: 'try', why: /^Windows 10\.0\.26100$/ },
  {
    name: 'on an old Windows',
    provider: 'dml',
    facts: { ...WINDOWS, release: '10.0.17763' },
    state: 'missing',
    why: /10\.0\.18362 or newer/,
    mend: /update Windows/,
  },
  {
    name: 'without its library',
    provider: 'dml',
    facts: { ...WINDOWS, ortFiles: ['onnxruntime_binding.node'] },
    state: 'missing',
    why: /DirectML\.dll/,
    mend: /again/,
  },
]

test.for(CASES)('$provider $name: $state, $why', ({ provider, facts, state, why, mend }) => {
  expect(diagnose(provider, facts)).toEqual({ state, why: expect.stringMatching(why), mend: mend === undefined ? '' : expect.stringMatching(mend) })
})

test('of CUDA, every library that is missing is named, no other, and there is something to type', () => {
  fc.assert(
    fc.property(fc.subarray([...CUDA_LIBRARIES], { minLength: 1 }), (gone) => {
      const { state, why, mend } = diagnose('cuda', { ...GPU_BOX, libraries: without(gone) })
      expect(state).toBe('missing')
      expect(CUDA_LIBRARIES.filter((name) => why.split(/[ ,]+/).includes(name))).toEqual(gone)
      expect(mend).toMatch(/apt-get install \S/)
    }),
  )
})

test('the facts of this machine are gathered, and each provider gets one sentence', async () => {
  const facts = await gatherProviderFacts(true)
  expect(facts).toMatchObject({ platform: process.platform, arch: process.arch })
  for (const provider of PROVIDERS) expect(diagnose(provider, facts).why).toMatch(/^\S.{5,}$/)
})

test('libraries are found on LD_LIBRARY_PATH, and elsewhere are said to be stray', async () => {
  const files = new Set([
    '/opt/mine/libcudnn.so.9',
    '/usr/local/cuda/lib64/libcudart.so.12',
    '/dev/dri/renderD128',
    '/lib/x86_64-linux-gnu/libvulkan.so.1',
  ])
  const machine = {
    platform: 'linux',
    arch: 'x64',
    ortFolder: undefined,
    exists: (path: string) => files.has(path),
    list: (folder: string) => [...files].filter((file) => file.startsWith(`${folder}/`)).map((file) => file.slice(folder.length + 1)),
  } as const
  const { libraries, stray, devices } = await gatherProviderFacts(false, machine, { LD_LIBRARY_PATH: '/nothing:/opt/mine' })
  expect([...libraries]).toEqual(expect.arrayContaining(['libcudnn.so.9', 'libvulkan.so.1']))
  expect(stray.get('libcudart.so.12')).toBe('/usr/local/cuda/lib64')
  expect(devices.map(({ path }) => path)).toContain('/dev/dri/renderD128')
})

test('where there is no GPU and nobody asks, nothing is searched', async () => {
  const machine = { platform: 'linux', arch: 'x64', ortFolder: undefined, exists: () => false, list: () => [] } as const
  expect(await gatherProviderFacts(false, machine, {})).toMatchObject({ libraries: new Set(), vulkanDrivers: [], devices: [], nvidiaCards: [] })
})
