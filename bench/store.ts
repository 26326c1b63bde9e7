import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BlockId, ItemId } from '../packages/consensus/src/index.ts'
import { openStore, type Store } from '../packages/store/src/index.ts'
import { type Bench, type BenchRow, median, medians } from './bench.ts'

/** Counted rounds; with the figures below this bench takes about 20 s, most of it to make the many blocks. */
const ROUNDS = 5

/** Commits of each kind in a round; their median is one measurement. */
const PUTS = 12

/** A row block of a radical of middle size: 400 rows of up to 64 edges. */
const BLOCK_BYTES = 200_000

/** Bytes of a block of rows of a layer that is small as most are. */
const SMALL_BYTES = 24_000

/** Blocks that a get reads in one measurement. */
const GETS = 16

/** Blocks of rows that a layer of the evidence fold changes. */
const LAYER_BLOCKS = 212

/** Layers of the store that is opened: a block each, and a signed item each. */
const MANY = 100_000

/** About the length of an announcement. */
const ITEM_BYTES = 400

export const bench: Bench = {
  name: 'store',
  async run(): Promise<BenchRow[]> {
    const folder = mkdtempSync(join(tmpdir(), 'sgsd-bench-store-'))
    try {
      return [...(await blockRows(join(folder, 'blocks'))), ...(await openRows(join(folder, 'many')))]
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

/** Commits and reads of blocks of one size. */
async function blockRows(dir: string): Promise<BenchRow[]> {
  await using store = await openStore(dir)
  const raw = join(dir, 'raw')
  mkdirSync(raw)
  const held: BlockId[] = []
  for (let n = 0; n < GETS; n++) held.push(await store.blocks.put(rowBlock(n)))
  let next = GETS
  const ms = await medians(
    {
      put: () =>
        medianOf(
          PUTS,
          () => rowBlock(next++),
          (bytes) => store.blocks.put(bytes),
        ),
      raw: () =>
        medianOf(
          PUTS,
          () => rowBlock(next++),
          (bytes) => writeRaw(raw, bytes),
        ),
      layer: () => timed(() => store.blocks.putMany(Array.from({ length: LAYER_BLOCKS }, () => rowBlock(next++, SMALL_BYTES)))),
      one: async () => {
        const blocks = Array.from({ length: LAYER_BLOCKS }, () => rowBlock(next++, SMALL_BYTES))
        return timed(async () => {
          for (const block of blocks) await store.blocks.put(block)
        })
      },
      get: async () => (await timed(async () => void (await Promise.all(held.map((id) => store.blocks.get(id)))))) / GETS,
    },
    ROUNDS,
  )
  const bytes = `${BLOCK_BYTES / 1_000} kB`
  const toMegabytes = (milliseconds: number): number => BLOCK_BYTES / 1_000 / milliseconds
  return [
    {
      bench: 'store',
      case: `put ${bytes}, p50`,
      value: ms.put,
      unit: 'ms',
      ratio: ms.raw / ms.put,
      note: 'of raw write + fsync + rename + fsync of the directory',
    },
    { bench: 'store', case: `raw ${bytes}, p50`, value: ms.raw, unit: 'ms' },
    {
      bench: 'store',
      case: `putMany, ${LAYER_BLOCKS} blocks of ${SMALL_BYTES / 1_000} kB`,
      value: ms.layer,
      unit: 'ms',
      ratio: ms.one / ms.layer,
      note: 'as fast as one put after another',
    },
    { bench: 'store', case: `get ${bytes}`, value: toMegabytes(ms.get), unit: 'MB/s', note: 'read, decompressed and hashed; uncompressed bytes' },
  ]
}

/** What the number of blocks does to opening and counting. */
async function openRows(dir: string): Promise<BenchRow[]> {
  {
    await using store = await openStore(dir)
    store.items.batch(() => {
      for (let n = 0; n < MANY; n++) store.items.put({ kind: 'claim', key: String(n), id: String(n) as ItemId, bytes: randomBytes(ITEM_BYTES) })
    })
  }
  fill(dir, MANY)
  let store: Store | undefined
  const opened = await timed(async () => void (store = await openStore(dir)))
  if (store === undefined) throw new Error('the store did not open')
  const held = store
  try {
    const first = await timed(() => held.blocks.usage())
    await held.blocks.put(rowBlock(0))
    const again = await timed(() => held.blocks.usage())
    const items = await timed(async () => void [...held.items.items()])
    const swept = await timed(() => held.blocks.sweep(() => true, { writtenBefore: Infinity, unusedSince: Infinity }))
    const cases = { open: opened, 'usage, first': first, 'usage, after a put': again, 'reading all items': items, 'sweep, all live': swept }
    return Object.entries(cases).map(([name, value]) => ({ bench: 'store', case: `${name}, ${MANY} layers`, value, unit: 'ms' }))
  } finally {
    await held.close()
  }
}

/** Files under block names; their bytes do not matter to what is measured. */
function fill(dir: string, count: number): void {
  for (let n = 0; n < count; n++) {
    const id = createHash('sha256').update(String(n)).digest('hex')
    const shard = join(dir, 'blocks', id.slice(0, 2))
    if (!existsSync(shard)) mkdirSync(shard)
    writeFileSync(join(shard, `${id}.zst`), 'x')
  }
}

/** The least that is safe: no compression, no hash, no look whether there is room. */
async function writeRaw(dir: string, bytes: Uint8Array): Promise<void> {
  const temp = join(dir, 'temp')
  await using handle = await open(temp, 'w')
  await handle.writeFile(bytes)
  await handle.sync()
  await rename(temp, join(dir, createHash('sha256').update(bytes.subarray(0, 64)).digest('hex')))
  await using directory = await open(dir, 'r')
  await directory.sync()
}

async function medianOf<T>(times: number, prepare: () => T, work: (prepared: T) => Promise<unknown>): Promise<number> {
  const taken: number[] = []
  for (let n = 0; n < times; n++) {
    const prepared = prepare()
    taken.push(await timed(() => work(prepared)))
  }
  return median(taken)
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now()
  await work()
  return performance.now() - from
}

/** Bytes of a row block's kind, which compress to less than half: ascending columns, then quotients of small numbers. Different for each n. */
function rowBlock(n: number, length = BLOCK_BYTES): Uint8Array {
  const words = length / 8
  const columns = new Uint32Array(words)
  const values = new Float32Array(words)
  let chance = n + 1
  let column = 0
  for (let at = 0; at < words; at++) {
    chance = (Math.imul(chance, 1_664_525) + 1_013_904_223) >>> 0
    column = at % 64 === 0 ? 0 : column + 1 + (chance >>> 23)
    columns[at] = column
    const divisor = 1 + ((chance >>> 8) % 12)
    values[at] = ((chance >>> 16) % divisor) / divisor
  }
  const bytes = new Uint8Array(length)
  bytes.set(new Uint8Array(columns.buffer))
  bytes.set(new Uint8Array(values.buffer), words * 4)
  return bytes
}
