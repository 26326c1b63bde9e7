/**
 * What mining costs beyond the colours: hashing, storing, signing and counting claims, in processor time of the whole process, so that
 * neither idle waiting nor other programs distort it. Raw engine and mining service take turns over the same number of chunks.
 */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { openClaimCompute, openColourCompute } from '../packages/compute/src/index.ts'
import type { Genesis, MemberRecord } from '../packages/consensus/src/index.ts'
import { createIdentity, openIdentity, verifySignature } from '../packages/mesh/src/index.ts'
import { openStore } from '../packages/store/src/index.ts'
import { encodeGenesis, meshIdOf } from '../packages/wire/src/index.ts'
import { Core } from '../packages/daemon/src/core.ts'
import { EventBus } from '../packages/daemon/src/event-bus.ts'
import { openLog } from '../packages/daemon/src/log.ts'
import { MineLoop } from '../packages/daemon/src/loops/mine.ts'
import type { Referee } from '../packages/daemon/src/trust/referee.ts'
import type { Bench, BenchRow } from './bench.ts'
import { median } from './bench.ts'

const SEED = 7_202_985n
/** Each of the two takes so long in a round, at the engine's rate, s. */
const ROUND_SECONDS = 3
const ROUNDS = 9
const CHUNK = 2 ** 20

export const bench: Bench = {
  name: 'mining',
  async run(): Promise<BenchRow[]> {
    const threads = availableParallelism()
    await using colours = await openColourCompute({ threads })
    await using claims = openClaimCompute()
    await using reference = await openColourCompute({ threads: 1, engine: 'reference' })
    const never = new AbortController().signal
    const referee = { value: async (_epoch: bigint, chunk: number) => (await reference.chunkValues('spi64', SEED, BigInt(chunk), 1, never))[0]! }
    const rate = await colours.measure('spi64', 500)
    const chunks = Math.max(64, Math.round((rate * ROUND_SECONDS) / CHUNK))
    const raw: number[] = []
    const mined: number[] = []
    const delays: number[] = []
    for (let round = 0; round <= ROUNDS; round++) {
      const bare = await cpuSeconds(() => colours.chunkValues('spi64', SEED, BigInt(round * chunks), chunks, new AbortController().signal))
      const { seconds, delayMs } = await mine(chunks, { colours, claims, referee })
      if (round === 0) continue
      raw.push(bare)
      mined.push(seconds)
      delays.push(delayMs)
    }
    const overheads = mined.map((seconds, i) => seconds / raw[i]! - 1)
    return [
      {
        bench: 'mining',
        case: `mining service over the raw engine (${colours.engine}, ${threads} threads)`,
        value: 100 * median(overheads),
        unit: '% processor time',
        ratio: median(raw) / median(mined),
        note: `spi64, ${chunks} chunks a round, median of ${ROUNDS}; budget 2 %`,
      },
      { bench: 'mining', case: 'event loop delay p99 while mining on all cores', value: median(delays), unit: 'ms', note: 'budget 50 ms' },
    ]
  },
}

/** Mines at least so many chunks with a real store, real signatures and a mesh of one. */
async function mine(
  chunks: number,
  engines: {
    readonly colours: Awaited<ReturnType<typeof openColourCompute>>
    readonly claims: ReturnType<typeof openClaimCompute>
    readonly referee: Pick<Referee, 'value'>
  },
): Promise<{ readonly seconds: number; readonly delayMs: number }> {
  const dir = await mkdtemp(join(tmpdir(), 'sgsd-bench-'))
  const stopping = new AbortController()
  try {
    await using store = await openStore(dir)
    const genesis: Genesis = {
      version: 1,
      name: 'bench',
      colourSeed: SEED,
      colourKernel: 'spi64',
      epochColours: BigInt(chunks) * BigInt(CHUNK),
      latticeKernel: '00'.repeat(32),
      foldId: 'mean/1',
      admission: 'open',
      nonce: randomBytes(16).toString('hex'),
    }
    const genesisBytes = encodeGenesis(genesis)
    const credentials = { identity: openIdentity(await createIdentity()), genesis, genesisBytes, meshId: meshIdOf(genesisBytes), meshKey: undefined }
    const log = openLog('error', false)
    const events = new EventBus()
    const core = new Core(credentials, store.items, verifySignature, log, events)
    core.author({ kind: 'record', value: member(core) })
    const mining = new MineLoop({ core, ...engines, blocks: store.blocks, events, log, signal: stopping.signal }, { auto: true, epochs: 1 })
    const delay = monitorEventLoopDelay({ resolution: 5 })
    delay.enable()
    const seconds = await cpuSeconds(async () => {
      const running = mining.run()
      await new Promise<void>((resolve) => {
        events.subscribe(() => {
          if (core.state.epoch > 0n) resolve()
        })
      })
      stopping.abort()
      await running
    })
    delay.disable()
    return { seconds, delayMs: delay.percentile(99) / 1e6 }
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

function member(core: Core): MemberRecord {
  return {
    author: core.state.self,
    seq: 1n,
    software: '0.1.0',
    hostName: 'bench',
    cores: 1,
    memoryBytes: 1n,
    colourRate: 1n,
    rowRate: 1n,
    colourEngine: 'wasm',
    providers: ['wasm'],
    addrs: [],
    joinedEpoch: 0n,
    left: false,
  }
}

/** Processor time that the whole process takes meanwhile, all threads, user and system. */
async function cpuSeconds(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6
}
