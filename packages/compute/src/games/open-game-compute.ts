import { availableParallelism } from 'node:os'
import {
  type ChainResult,
  chainStart,
  type CycleSearch,
  type CycleWalk,
  type Furthest,
  type NearFixedPoint,
  nearer,
  nearest,
  nextColour,
  type ParallelChains,
  spi64,
  startCycleWalk,
  type StrategyPart,
} from '@sgsd/color'
import { type Simulation, type SimulationReport, type Stage, STAGES } from '@sgsd/consensus'
import { ComputeError } from '../compute-error.ts'
import { WorkerLink } from '../worker/worker-link.ts'
import type { GameCalls } from './game-calls.ts'
import type { GameCompute, GameOptions, GameRange, OnColours } from './port.ts'

/** Colours of a piece: 20 to 70 ms, so that an abort is soon seen and messages cost nothing. */
const PIECE = 2 ** 20

/** The same where a colour costs 2 ns. */
const RUN_PIECE = 2n ** 24n

/** How often a caller hears of a simulation, ms. */
const PROGRESS_MS = 100

/** More than the cores of any machine, few enough to start. */
const MAX_THREADS = 1_024

const WORKER = new URL(import.meta.url.endsWith('.ts') ? './game-worker.ts' : './game-worker.js', import.meta.url)

type Link = WorkerLink<GameCalls>

/** @throws RangeError on a number of threads out of range */
export function openGameCompute({ threads = Math.max(1, Math.floor(availableParallelism() / 2)) }: GameOptions = {}): GameCompute {
  if (!Number.isInteger(threads) || threads < 1 || threads > MAX_THREADS)
    throw new RangeError(`${threads} is not a number of threads from 1 to ${MAX_THREADS}`)
  return new GamePool(threads)
}

/** Threads that each take the next piece of a game until none is left. Started when first needed. */
class GamePool implements GameCompute {
  readonly threads: number
  readonly #links: Link[] = []
  #closed = false

  constructor(threads: number) {
    this.threads = threads
  }

  async furthest(seed: bigint, range: GameRange, reference: string, signal: AbortSignal, onProgress?: OnColours): Promise<Furthest | undefined> {
    let best: Furthest | undefined
    await this.#inPieces(range, BigInt(PIECE), signal, onProgress, async (link, start, count) => {
      const found = await link.call('furthest', seed, start, count, reference)
      if (found !== undefined) best = best === undefined ? found : nearer(best, found)
    })
    return best
  }

  async nearFixedPoints(
    seed: bigint,
    range: GameRange,
    top: number,
    signal: AbortSignal,
    onProgress?: OnColours,
  ): Promise<readonly NearFixedPoint[]> {
    let best: readonly NearFixedPoint[] = []
    await this.#inPieces(range, BigInt(PIECE), signal, onProgress, async (link, start, count) => {
      const found = await link.call('nearFixedPoints', seed, start, count, top)
      best = nearest([...best, ...found], top)
    })
    return best
  }

  async cycles(
    starts: readonly bigint[],
    width: number,
    maxSteps: number,
    signal: AbortSignal,
    onProgress?: OnColours,
  ): Promise<readonly CycleSearch[]> {
    const walks = starts.map((start) => startCycleWalk(start, width, maxSteps))
    const searches: CycleSearch[] = []
    let done = 0n
    await this.#spread(walks.entries(), signal, async (link, [place, first]) => {
      let walk: CycleWalk | CycleSearch = first
      while (!('found' in walk)) {
        signal.throwIfAborted()
        const before: CycleWalk = walk
        walk = await link.call('walkCycle', before, PIECE)
        done += BigInt(stepsOf(walk) - before.steps)
        onProgress?.(done)
      }
      searches[place] = walk
    })
    return searches
  }

  async chains(seed: bigint, chains: number, length: number, signal: AbortSignal, onProgress?: OnColours): Promise<ParallelChains> {
    const results: ChainResult[] = []
    let done = 0n
    const places = Array.from({ length: chains }, (_, chain) => chain)
    await this.#spread(places.values(), signal, async (link, chain) => {
      results[chain] = await walkChain(link, spi64(seed, BigInt(chainStart(chain, chains))), length, signal, (steps) => {
        done += BigInt(steps)
        onProgress?.(done)
      })
    })
    return { chains: results, combined: results.reduce((xor, { fingerprint }) => xor ^ fingerprint, BigInt.asUintN(64, seed)) }
  }

  async chain(first: bigint, length: number, signal: AbortSignal, onProgress?: OnColours): Promise<ChainResult> {
    let done = 0n
    let result: ChainResult = { fingerprint: 0n, last: first }
    await this.#spread([first].values(), signal, async (link, colour) => {
      result = await walkChain(link, colour, length, signal, (steps) => {
        done += BigInt(steps)
        onProgress?.(done)
      })
    })
    return result
  }

  async partXor(part: StrategyPart, signal: AbortSignal, onProgress?: OnColours): Promise<bigint> {
    let xor = 0n
    await this.#inPieces({ start: 0n, count: part.count }, RUN_PIECE, signal, onProgress, async (link, place, count) => {
      // two steps: `xor ^= await …` would read xor before the wait, and threads would lose each other's pieces
      const found = await link.call('partXor', { ...part, start: part.start + place * part.stride, count })
      xor ^= found
    })
    return xor
  }

  async simulate(simulation: Simulation, signal: AbortSignal, onProgress?: (stage: Stage, share: number) => void): Promise<SimulationReport> {
    signal.throwIfAborted()
    const progress = new Float64Array(new SharedArrayBuffer(2 * Float64Array.BYTES_PER_ELEMENT))
    const link = this.#start('simulation', progress)
    const { promise: aborted, reject } = Promise.withResolvers<never>()
    const abort = (): void => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    const timer = onProgress && setInterval(() => onProgress(STAGES[progress[0]!]!, progress[1]!), PROGRESS_MS)
    try {
      return await Promise.race([link.call('simulate', simulation), aborted])
    } finally {
      clearInterval(timer)
      signal.removeEventListener('abort', abort)
      await link.close()
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.all(this.#links.map((link) => link.close()))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** A range in pieces; `onProgress` hears of the finished ones. */
  #inPieces(
    { start, count }: GameRange,
    piece: bigint,
    signal: AbortSignal,
    onProgress: OnColours | undefined,
    work: (link: Link, start: bigint, count: bigint) => Promise<void>,
  ): Promise<void> {
    if (count < 0n) return Promise.reject(new RangeError(`a range cannot have ${count} colours`))
    let done = 0n
    return this.#spread(piecesOf(start, count, piece), signal, async (link, next) => {
      await work(link, next.start, next.count)
      done += next.count
      onProgress?.(done)
    })
  }

  /** Each thread takes the next item until there is none, one fails, or the signal fires. */
  async #spread<T>(items: Iterator<T>, signal: AbortSignal, work: (link: Link, item: T) => Promise<void>): Promise<void> {
    signal.throwIfAborted()
    if (this.#closed) throw new ComputeError('CLOSED', { call: 'game' })
    while (this.#links.length < this.threads) this.#links.push(this.#start(`game-${this.#links.length}`))
    let failed = false
    const lanes = this.#links.map(async (link) => {
      for (let next = items.next(); next.done !== true && !failed; next = items.next()) {
        try {
          await work(link, next.value)
          signal.throwIfAborted()
        } catch (error) {
          failed = true
          throw error
        }
      }
    })
    await Promise.all(lanes)
  }

  #start(name: string, progress: Float64Array = new Float64Array(2)): Link {
    return new WorkerLink<GameCalls>({ url: WORKER, name, data: { progress } })
  }
}

function* piecesOf(start: bigint, count: bigint, piece: bigint): Generator<GameRange, undefined> {
  for (let at = 0n; at < count; at += piece) yield { start: start + at, count: count - at < piece ? count - at : piece }
}

/** A chain in pieces: each begins with the colour after the last one of the piece before. */
async function walkChain(link: Link, first: bigint, length: number, signal: AbortSignal, walked: (steps: number) => void): Promise<ChainResult> {
  let result = await link.call('chain', first, Math.min(length, PIECE))
  walked(Math.min(length, PIECE))
  for (let done = PIECE; done < length; done += PIECE) {
    signal.throwIfAborted()
    const steps = Math.min(length - done, PIECE)
    const { fingerprint, last } = await link.call('chain', nextColour(result.last), steps)
    result = { fingerprint: result.fingerprint ^ fingerprint, last }
    walked(steps)
  }
  return result
}

/** Steps of the race: what a search is bounded by. */
function stepsOf(walk: CycleWalk | CycleSearch): number {
  if (!('found' in walk)) return walk.steps
  return walk.found ? walk.cycle.tail + walk.cycle.length : walk.steps
}
