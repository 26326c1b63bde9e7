// Farming: lines a second by each rule, what a commit costs, and how fast texts come in and are read back.
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { zstdDecompressSync } from 'node:zlib'
import { openLatticeCompute } from '../packages/compute/src/lattice/open-lattice-compute.ts'
import type { FoldId, PeerName } from '../packages/consensus/src/index.ts'
import { CONTEXT_LINES } from '../packages/lattice/src/index.ts'
import { FarmLedger } from '../packages/daemon/src/farm/ledger.ts'
import { linesOf } from '../packages/daemon/src/farm/lines.ts'
import { SegmentBlocks } from '../packages/daemon/src/farm/segment-blocks.ts'
import { TextTaker } from '../packages/daemon/src/farm/take-text.ts'
import { TextReader } from '../packages/daemon/src/farm/text-reader.ts'
import { openStore } from '../packages/store/src/index.ts'
import { type Bench, type BenchRow, median } from './bench.ts'

const POEMS = new URL('../packages/lattice/data/corpus/tang.txt.zst', import.meta.url)
const SELF = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5' as PeerName
/** As the built-in host takes them. */
const LINES_PER_CALL = 64
const CALLS_PER_LAYER = 100
const FARM_MS = 8_000
/** Bytes of the text that comes in. */
const TEXT_BYTES = 32 * 2 ** 20

export const bench: Bench = { name: 'farm', run }

async function run(): Promise<BenchRow[]> {
  const text = zstdDecompressSync(await readFile(POEMS))
  const lines = linesOf(text.toString('utf8'))
  return [...(await farmRows('evidence/1', lines)), ...(await farmRows('mean/1', lines)), ...(await textRows(text))]
}

/** Layer after layer, as the daemon farms: the calls of a layer, then its commit, which is what the next lines are predicted from. */
async function farmRows(fold: FoldId, lines: readonly string[]): Promise<BenchRow[]> {
  const rule = fold === 'evidence/1' ? 'evidence' : 'hebb'
  await using lattice = await openLatticeCompute({ fold, self: SELF })
  await lattice.setOwned(Array.from({ length: 214 }, (_, i) => i + 1))
  let at = 0
  const call = async (): Promise<void> => {
    await lattice.farm(lines.slice(at, at + LINES_PER_CALL + 1), { context: lines.slice(Math.max(0, at - CONTEXT_LINES), at) })
    at = (at + LINES_PER_CALL) % (lines.length - LINES_PER_CALL)
  }
  const layers: { readonly farmMs: number; readonly commitMs: number; readonly bytes: number; readonly calls: number }[] = []
  const began = performance.now()
  while (layers.length < 2 || performance.now() - began < FARM_MS) {
    const start = performance.now()
    let calls = 0
    while (calls < CALLS_PER_LAYER && (layers.length === 0 || performance.now() - start < FARM_MS)) {
      await call()
      calls++
    }
    const farmed = performance.now()
    const draft = await lattice.commit()
    const bytes = draft.radicals.reduce((sum, block) => sum + block.bytes.length, 0)
    layers.push({ farmMs: farmed - start, commitMs: performance.now() - farmed, bytes, calls })
  }
  // the first layer has nothing to predict from
  const steady = layers.slice(1)
  const rates = steady.map(({ farmMs, commitMs, calls }) => (1_000 * LINES_PER_CALL * calls) / (farmMs + commitMs))
  const last = layers.at(-1)
  return [
    {
      bench: 'farm',
      case: `farm, ${rule}`,
      value: median(rates),
      unit: 'lines/s',
      note: `median of ${steady.length} layers of up to ${CALLS_PER_LAYER} calls of ${LINES_PER_CALL} lines of poems, commits included; every row is owned`,
    },
    {
      bench: 'farm',
      case: `commit, ${rule}`,
      value: median(steady.map(({ commitMs }) => commitMs)),
      unit: 'ms',
      note: `the last one is ${((last?.bytes ?? 0) / 1e6).toFixed(1)} MB`,
    },
  ]
}

async function textRows(poems: Uint8Array): Promise<BenchRow[]> {
  const root = await mkdtemp(join(tmpdir(), 'sgsd-bench-'))
  try {
    await using store = await openStore(join(root, 'a'))
    const ledger = new FarmLedger(join(root, 'a', 'farm.db'))
    const segments = new SegmentBlocks(store.blocks, new Uint8Array(32))
    const taker = new TextTaker({ ledger, segments, overlap: 1, onChange: () => {}, signal: new AbortController().signal })
    const megabytes = TEXT_BYTES / 1e6
    const came = await timed(() => taker.take({ name: 'poems' }, grown(poems)))
    const again = await timed(() => taker.take({ name: 'poems' }, grown(poems)))
    const text = ledger.list(1)[0]!
    const reader = new TextReader(ledger, segments)
    const read = await timed(async () => {
      for (let line = 0; line < text.ready; line += LINES_PER_CALL) await reader.window(text, line, LINES_PER_CALL)
    })
    ledger.close()
    return [
      {
        bench: 'farm',
        case: 'take a text in',
        value: (1_000 * megabytes) / came,
        unit: 'MB/s',
        note: 'cut, checked, hashed, packed and synced to disk',
      },
      { bench: 'farm', case: 'the same text again', value: (1_000 * megabytes) / again, unit: 'MB/s', note: 'recognised by its bytes' },
      { bench: 'farm', case: 'read back in calls', value: (1_000 * text.ready) / read, unit: 'lines/s' },
    ]
  } finally {
    await rm(root, { recursive: true, force: true })
  }
}

/** Poems again and again, numbered so that no two segments are alike. */
function grown(poems: Uint8Array): Readable {
  const pieces = function* (): Generator<Uint8Array> {
    for (let size = 0, i = 0; size < TEXT_BYTES; i++, size += poems.length) {
      yield Buffer.from(`${createHash('sha256').update(String(i)).digest('hex')}\n`)
      for (let at = 0; at < poems.length; at += 65_536) yield poems.subarray(at, at + 65_536)
    }
  }
  return Readable.from(pieces())
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return performance.now() - began
}
