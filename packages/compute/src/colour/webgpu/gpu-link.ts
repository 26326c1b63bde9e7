import type { ColourKernelId } from '@sgsd/color'
import { reportLine } from '../../report-line.ts'
import { type ColourEngine, EngineRefusal } from '../engine.ts'
import type { FromGpu } from './gpu-messages.ts'
import { GpuProcess } from './gpu-process.ts'

/** How long a driver may take to start, ms: 1 to 2 s with a GPU; the pool waits 15 s for all engines together. */
const START_DEADLINE_MS = 8_000

/** How long a call may show no progress, ms: a dispatch takes 8, and drivers reset a GPU that hangs after 2 to 10 s. */
const STALL_MS = 15_000

/** How often in one call the process may die before the engine gives up. */
const MAX_DEATHS = 2

export interface GpuLinkOptions {
  readonly startMs?: number
  readonly stallMs?: number
  /** What the process runs; tests put a misbehaving one here. */
  readonly host?: URL
}

type Ready = Extract<FromGpu, { type: 'ready' }>

/** The GPU engine in a process of its own. When that dies or hangs, another is started and the call is asked again. */
export class GpuLink implements ColourEngine {
  readonly name = 'webgpu'
  readonly threads = 1
  readonly about: string
  /** Whether the adapter computes on the CPU. */
  readonly software: boolean
  readonly #options: Required<GpuLinkOptions>
  #process: GpuProcess
  #batch: number
  #closed = false

  private constructor(options: Required<GpuLinkOptions>, process: GpuProcess, { name, software, batch }: Ready) {
    this.about = name
    this.software = software
    this.#options = options
    this.#process = process
    this.#batch = batch
  }

  /** @throws EngineRefusal that says what is missing, or how the driver fails */
  static async open({ startMs = START_DEADLINE_MS, stallMs = STALL_MS, host = HOST }: GpuLinkOptions = {}): Promise<GpuLink> {
    const options = { startMs, stallMs, host }
    const { process, ready } = await start(options)
    return new GpuLink(options, process, ready)
  }

  get batch(): number {
    return this.#batch
  }

  async xorRuns(kernel: ColourKernelId, seed: bigint, start: bigint, length: number, out: BigUint64Array): Promise<void> {
    for (let deaths = 0; ;) {
      try {
        out.set(await this.#ask(kernel, seed, start, length, out.length))
        return
      } catch (error) {
        if (this.#closed || ++deaths > MAX_DEATHS) throw error
        this.#process.kill()
        this.#process = await restart(this.#options)
      }
    }
  }

  close(): void {
    this.#closed = true
    this.#process.kill()
  }

  async #ask(kernel: ColourKernelId, seed: bigint, start: bigint, length: number, runs: number): Promise<BigUint64Array> {
    this.#process.send({ kernel, seed, start, length, runs })
    for (;;) {
      const message = await this.#process.next(this.#options.stallMs)
      if (message.type === 'failed') throw new Error(reportLine(message.message, this.#process.stderr))
      if (message.type !== 'xors') continue
      this.#batch = message.batch
      return message.xors
    }
  }
}

const HOST = new URL(import.meta.url.endsWith('.ts') ? './gpu-host.ts' : './gpu-host.js', import.meta.url)

async function restart(options: Required<GpuLinkOptions>): Promise<GpuProcess> {
  const { process } = await start(options)
  return process
}

async function start({ host, startMs }: Required<GpuLinkOptions>): Promise<{ readonly process: GpuProcess; readonly ready: Ready }> {
  const process = new GpuProcess(host)
  const ready = await process.next(startMs).catch((error: unknown): FromGpu => ({ type: 'failed', message: (error as Error).message }))
  if (ready.type === 'ready') return { process, ready }
  process.kill()
  throw new EngineRefusal('missing', ready.type === 'failed' ? explain(ready.message, process.stderr) : 'its process speaks another protocol')
}

/** Adds what to install, where the driver's own words say only what it did not find. */
function explain(message: string, stderr: string): string {
  const mend = stderr.includes('Found no drivers') ? ': no Vulkan driver is installed (the card maker’s, or mesa-vulkan-drivers)' : ''
  return reportLine(`${message}${mend}`, stderr)
}
