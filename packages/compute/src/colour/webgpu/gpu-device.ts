import type { ColourKernelId } from '@sgsd/color'
import { type AdapterName, adapterName } from './adapter-name.ts'
import { colourShader, SWEEP_BYTES } from './colour-shader.ts'
import type { Dawn } from './dawn.ts'

/** Dispatches that may be under way at once: the GPU has the next one while the host reads the last. */
export const SLOTS = 2

/** Workgroups of a dispatch, at most: what every WebGPU device grants in one dimension. */
export const MAX_TILES = 65_535

/** Colours of a tile at least and at most: enough that combining 256 lanes costs nothing; few enough for 2^35 colours in one dispatch. */
const LEAST_TILE = 2 ** 14
const MOST_TILE = 2 ** 20

/** Workgroups that fill a large GPU several times over. */
const FULL_GPU_TILES = 4_096

/** Bytes of one tile's XOR. */
const XOR_BYTES = 8

/** Runs for one dispatch. */
export interface Sweep {
  readonly kernel: ColourKernelId
  /** seed + (start + 1) · GOLDEN, modulo 2^64. */
  readonly base: bigint
  /** Colours of a run, 1 to 2^30. */
  readonly length: number
  /** 1 to MAX_TILES; of all runs together, at most 2^35 colours. */
  readonly runs: number
}

/** A dispatch that was submitted. */
export interface Dispatch {
  /**
   * Waits for the XORs of the runs, low and high half in turns.
   * @throws DOMException when the device is lost
   */
  finish(): Promise<Uint32Array>
}

interface Slot {
  readonly uniform: GPUBuffer
  readonly results: GPUBuffer
  readonly readable: GPUBuffer
  readonly bindings: Readonly<Record<ColourKernelId, GPUBindGroup>>
}

export interface DeviceOptions {
  /** Whether lanes combine by subgroup operations where the device has them; default yes. */
  readonly subgroups?: boolean
}

/** A GPU with the colour kernels on it. */
export class GpuDevice implements AdapterName {
  readonly name: string
  readonly software: boolean
  readonly subgroups: boolean
  readonly #device: GPUDevice
  readonly #pipelines: Readonly<Record<ColourKernelId, GPUComputePipeline>>
  readonly #slots: readonly Slot[]
  #lost = false
  #dispatches = 0

  private constructor(dawn: Dawn, device: GPUDevice, adapter: AdapterName, pipelines: Readonly<Record<ColourKernelId, GPUComputePipeline>>) {
    this.name = adapter.name
    this.software = adapter.software
    this.subgroups = device.features.has('subgroups')
    this.#device = device
    this.#pipelines = pipelines
    this.#slots = Array.from({ length: SLOTS }, () => makeSlot(dawn, device, pipelines))
    void this.#watch()
  }

  /** @throws Error when there is no adapter, or it refuses a device */
  static async open(dawn: Dawn, options: DeviceOptions = {}): Promise<GpuDevice> {
    const adapter = await dawn.gpu.requestAdapter({ powerPreference: 'high-performance' })
    if (adapter === null) throw new Error('no GPU driver answers (no adapter)')
    const subgroups = (options.subgroups ?? true) && adapter.features.has('subgroups')
    const device = await adapter.requestDevice({ requiredFeatures: subgroups ? ['subgroups'] : [] })
    // not createComputePipelineAsync: a process that exits while Dawn compiles in the background is aborted
    const pipeline = (kernel: ColourKernelId): GPUComputePipeline => {
      const module = device.createShaderModule({ code: colourShader(kernel, { subgroups }) })
      return device.createComputePipeline({ layout: 'auto', compute: { module, entryPoint: 'main' } })
    }
    return new GpuDevice(dawn, device, adapterName(adapter.info), { spi64: pipeline('spi64'), turbo32: pipeline('turbo32') })
  }

  /** Whether the driver took the device away: nothing works any more. */
  get lost(): boolean {
    return this.#lost
  }

  /** Starts a dispatch. At most SLOTS may be under way, and they finish in order. */
  submit({ kernel, base, length, runs }: Sweep): Dispatch {
    const tile = tileFor(length, runs)
    const tilesPerRun = Math.ceil(length / tile)
    const tiles = runs * tilesPerRun
    const slot = this.#slots[this.#dispatches++ % SLOTS]!
    const { queue } = this.#device
    queue.writeBuffer(slot.uniform, 0, Uint32Array.of(Number(base & 0xffff_ffffn), Number(base >> 32n), length, tile, tilesPerRun))
    const encoder = this.#device.createCommandEncoder()
    const pass = encoder.beginComputePass()
    pass.setPipeline(this.#pipelines[kernel])
    pass.setBindGroup(0, slot.bindings[kernel])
    pass.dispatchWorkgroups(tiles)
    pass.end()
    encoder.copyBufferToBuffer(slot.results, 0, slot.readable, 0, tiles * XOR_BYTES)
    queue.submit([encoder.finish()])
    return {
      finish: async () => {
        await slot.readable.mapAsync(MAP_READ, 0, tiles * XOR_BYTES)
        const xors = combineTiles(new Uint32Array(slot.readable.getMappedRange(0, tiles * XOR_BYTES)), tilesPerRun)
        slot.readable.unmap()
        return xors
      },
    }
  }

  async #watch(): Promise<void> {
    await this.#device.lost
    this.#lost = true
  }

  /** Gives the GPU back. What is under way rejects. */
  destroy(): void {
    this.#lost = true
    this.#device.destroy()
  }
}

/** `GPUMapMode.READ` of the specification. */
const MAP_READ = 1

function makeSlot({ usage }: Dawn, device: GPUDevice, pipelines: Readonly<Record<ColourKernelId, GPUComputePipeline>>): Slot {
  const uniform = device.createBuffer({ size: SWEEP_BYTES, usage: usage.UNIFORM | usage.COPY_DST })
  const results = device.createBuffer({ size: MAX_TILES * XOR_BYTES, usage: usage.STORAGE | usage.COPY_SRC })
  const readable = device.createBuffer({ size: MAX_TILES * XOR_BYTES, usage: usage.MAP_READ | usage.COPY_DST })
  const bind = (kernel: ColourKernelId): GPUBindGroup =>
    device.createBindGroup({
      layout: pipelines[kernel].getBindGroupLayout(0),
      entries: [
        { binding: 0, resource: { buffer: uniform } },
        { binding: 1, resource: { buffer: results } },
      ],
    })
  return { uniform, results, readable, bindings: { spi64: bind('spi64'), turbo32: bind('turbo32') } }
}

/** Colours of a tile: as many as leave enough workgroups to fill a GPU, and no more workgroups than a dispatch may have. */
export function tileFor(length: number, runs: number): number {
  const wanted = 2 ** Math.floor(Math.log2((length * runs) / FULL_GPU_TILES))
  const tile = Math.min(MOST_TILE, Math.max(LEAST_TILE, wanted))
  return runs * Math.ceil(length / tile) <= MAX_TILES ? tile : MOST_TILE
}

/** XOR of each run's tiles, copied out of the mapped range. */
function combineTiles(tiles: Uint32Array, tilesPerRun: number): Uint32Array {
  if (tilesPerRun === 1) return tiles.slice()
  const xors = new Uint32Array(tiles.length / tilesPerRun)
  for (let run = 0, at = 0; run < xors.length; run += 2) {
    let low = 0
    let high = 0
    for (let tile = 0; tile < tilesPerRun; tile++) {
      low ^= tiles[at++]!
      high ^= tiles[at++]!
    }
    xors[run] = low
    xors[run + 1] = high
  }
  return xors
}
