import { setTimeout } from 'node:timers/promises'
import { CHUNK_COLOURS, type ColourKernelId, GOLDEN } from '@sgsd/color'
import type { ColourEngine } from '../engine.ts'
import { type Dispatch, MAX_TILES, SLOTS, type Sweep } from './gpu-device.ts'
import { Pace } from './pace.ts'
import { nextPiece, type Piece } from './pieces.ts'

/** What the engine needs of a device; `GpuDevice` is one. */
export interface ColourDevice {
  readonly name: string
  submit(sweep: Sweep): Dispatch
  destroy(): void
}

/** Dispatches that a call should be long: what is lost between two calls, while the host answers, is then a few percent. */
const CALL_DISPATCHES = 4

/** How often in a row a device may be lost before the engine gives up. */
const MAX_LOSSES_IN_A_ROW = 3

/** Dawn polls for what it waits for and keeps a core busy: this share of the expected time is slept instead. */
const SLEPT_SHARE = 0.8

/** Shortest sleep that a timer of 1 ms resolution can keep, ms. */
const SHORTEST_SLEEP_MS = 2

/** A result that is there within this time was there before it was asked for, ms. */
const AT_ONCE_MS = 0.25

interface Pending {
  readonly piece: Piece
  dispatch: Dispatch
}

/**
 * Colours on a GPU: one thread feeds it, two dispatches at a time, each sized to the speed seen so far. A lost device is requested
 * again and what it had not answered is dispatched again.
 */
export class GpuEngine implements ColourEngine {
  readonly name = 'webgpu'
  readonly #open: () => Promise<ColourDevice>
  readonly #paces: Readonly<Record<ColourKernelId, Pace>> = { spi64: new Pace(), turbo32: new Pace() }
  #device: ColourDevice
  #kernel: ColourKernelId = 'spi64'
  #closed = false

  readonly #onDispatch: () => void

  private constructor(device: ColourDevice, open: () => Promise<ColourDevice>, onDispatch: () => void) {
    this.#device = device
    this.#open = open
    this.#onDispatch = onDispatch
  }

  /**
   * @param open - requests a device; called again when one is lost
   * @param onDispatch - hears of each dispatch that is done
   */
  static async on(open: () => Promise<ColourDevice>, onDispatch: () => void = () => undefined): Promise<GpuEngine> {
    return new GpuEngine(await open(), open, onDispatch)
  }

  get about(): string {
    return this.#device.name
  }

  /** Follows the speed of the kernel computed last. */
  get batch(): number {
    return Math.max(1, Math.floor((CALL_DISPATCHES * this.#paces[this.#kernel].budget) / CHUNK_COLOURS))
  }

  /** Colours of a dispatch of this kernel by now. */
  dispatchColours(kernel: ColourKernelId): number {
    return this.#paces[kernel].budget
  }

  async xorRuns(kernel: ColourKernelId, seed: bigint, start: bigint, length: number, out: BigUint64Array): Promise<void> {
    out.fill(0n)
    if (length === 0) return
    this.#kernel = kernel
    const pace = this.#paces[kernel]
    const halves = new Uint32Array(out.buffer, out.byteOffset, 2 * out.length)
    const base = seed + (start + 1n) * GOLDEN
    const submit = (piece: Piece): Dispatch => {
      const from = BigInt(piece.run) * BigInt(length) + BigInt(piece.offset)
      return this.#device.submit({ kernel, base: BigInt.asUintN(64, base + from * GOLDEN), length: piece.length, runs: piece.runs })
    }
    const pending: Pending[] = []
    let last: Piece | undefined
    let losses = 0
    let idleSince = performance.now()
    for (;;) {
      let piece: Piece | undefined
      while (pending.length < SLOTS && (piece = nextPiece(last, length, out.length, pace.budget, MAX_TILES)) !== undefined) {
        pending.push({ piece, dispatch: submit(piece) })
        last = piece
      }
      const head = pending[0]
      if (head === undefined) return
      let xors: Uint32Array
      try {
        const colours = head.piece.length * head.piece.runs
        const ms = await timeOf(pace.expectedMs(colours), idleSince, async () => {
          xors = await head.dispatch.finish()
        })
        pace.observe(colours, ms)
      } catch (error) {
        if (this.#closed || ++losses > MAX_LOSSES_IN_A_ROW) throw error
        this.#device.destroy()
        this.#device = await this.#open()
        for (const each of pending) each.dispatch = submit(each.piece)
        idleSince = performance.now()
        continue
      }
      losses = 0
      idleSince = performance.now()
      for (let i = 0, at = 2 * head.piece.run; i < xors!.length; i++, at++) halves[at]! ^= xors![i]!
      pending.shift()
      this.#onDispatch()
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#device.destroy()
  }
}

/**
 * Waits for a dispatch, asleep for most of the time that it is expected to take.
 * @param since - when it got the GPU
 * @returns how long it took, ms; where it was done before it was asked for, no more than the sleep
 */
async function timeOf(expectedMs: number, since: number, finish: () => Promise<void>): Promise<number> {
  const sleep = SLEPT_SHARE * expectedMs - (performance.now() - since)
  if (sleep >= SHORTEST_SLEEP_MS) await setTimeout(sleep)
  const asked = performance.now()
  await finish()
  const now = performance.now()
  if (sleep >= SHORTEST_SLEEP_MS && now - asked < AT_ONCE_MS) return Math.min(now - since, SLEPT_SHARE * expectedMs)
  return now - since
}
