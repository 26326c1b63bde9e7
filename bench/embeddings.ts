// Embeddings: how well they tell topics apart, and how fast they come, from the worker and over HTTP.
import { readFile } from 'node:fs/promises'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { zstdDecompressSync } from 'node:zlib'
import { openLatticeCompute } from '../packages/compute/src/lattice/open-lattice-compute.ts'
import type { LatticeCompute, LayerContent } from '../packages/compute/src/lattice/port.ts'
import type { LayerId, PeerName } from '../packages/consensus/src/index.ts'
import { DEFAULT_DIMENSIONS } from '../packages/daemon/src/api/embedding-request.ts'
import { Embeddings } from '../packages/daemon/src/api/embeddings.ts'
import { openApiServer } from '../packages/daemon/src/api/server.ts'
import {
  areaUnderCurve,
  documentsOf,
  type HanziKernel,
  inverseFrequency,
  type LabelledText,
  lineRows,
  linesOf,
  lsaScorer,
  parseHanziTable,
  parseSimilaritySet,
  type TextDocument,
} from '../packages/lattice/src/index.ts'
import { type Bench, type BenchRow, median } from './bench.ts'

const DATA = new URL('../packages/lattice/data/', import.meta.url)
const SELF = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5' as PeerName
const TOKEN = 'bench'
/** Lines of a farming call: each call is held in memory whole. */
const LINES_PER_CALL = 8_192
const SINGLE_ROUNDS = 200
const BATCH_ROUNDS = 9
const LSA_SEED = 1

export const bench: Bench = { name: 'embeddings', run }

async function run(): Promise<BenchRow[]> {
  const kernel = parseHanziTable(zstdDecompressSync(await readFile(new URL('hanzi.bin.zst', DATA)))) as HanziKernel
  const poems = documentsOf(
    zstdDecompressSync(await readFile(new URL('corpus/tang.txt.zst', DATA)))
      .toString('utf8')
      .split('\n'),
  )
  const texts = parseSimilaritySet(await readFile(new URL('similarity.txt', DATA), 'utf8'))
  const labelled = new Set(texts.flatMap(({ lines }) => lines))
  // poems of labelled couplets, and others that share a line with them, are not learned from
  const train = poems.filter((poem) => !poem.some((line) => labelled.has(line)))
  await using lattice = await openLatticeCompute({ fold: 'evidence/1', self: SELF })
  const untouched = await likenessRows(lattice, 'untouched lattice', texts, poems)
  const learning = performance.now()
  await learn(lattice, train)
  const learnMs = performance.now() - learning
  return [
    ...baselineRows(kernel, texts, poems, train),
    ...untouched,
    ...(await likenessRows(lattice, 'lattice of evidence', texts, poems)),
    { bench: 'embeddings', case: 'learning the poems', value: learnMs / 1_000, unit: 's', note: `${train.length} poems: farm, commit, fold` },
    ...(await speedRows(lattice, train.flat())),
  ]
}

/** Farms and folds, as a mesh of one member would. */
async function learn(lattice: LatticeCompute, train: readonly TextDocument[]): Promise<void> {
  await lattice.setOwned(Array.from({ length: 214 }, (_, i) => i + 1))
  let part: TextDocument[] = []
  let lines = 0
  for (const poem of [...train, undefined]) {
    if (poem !== undefined) part.push(poem)
    lines += poem?.length ?? 0
    if (poem !== undefined && lines < LINES_PER_CALL) continue
    await lattice.farm(linesOf(part))
    part = []
    lines = 0
  }
  const { radicals, state } = await lattice.commit()
  const layer = 'e'.repeat(64) as LayerId
  const refused = await lattice.load({ layer, author: SELF, radicals, state } satisfies LayerContent)
  if (refused !== undefined) throw new Error(refused)
  await lattice.fold([{ peer: SELF, seq: 1n, layer, weight: 1 }])
}

/** What a text is: a couplet, its first line, or its whole poem. */
type Unit = 'couplets' | 'lines' | 'poems'

function unitsOf(texts: readonly LabelledText[], poems: readonly TextDocument[]): Record<Unit, readonly string[]> {
  return {
    couplets: texts.map(({ lines }) => lines.join('')),
    lines: texts.map(({ lines }) => lines[0]),
    poems: texts.map(({ poem }) => poems[poem - 1]!.join('')),
  }
}

function areaRows(name: string, unit: Unit, texts: readonly LabelledText[], likeness: (a: number, b: number) => number, note: string): BenchRow[] {
  return (['development', 'test'] as const).map((half) => {
    const places = [...texts.keys()].filter((i) => texts[i]!.half === half)
    const value = areaUnderCurve(
      places.map((i) => texts[i]!),
      (a, b) => likeness(places[a]!, places[b]!),
    )
    return { bench: 'embeddings', case: `AUC, ${unit}, ${half}: ${name}`, value, unit: 'area', note }
  })
}

async function likenessRows(
  lattice: LatticeCompute,
  name: string,
  texts: readonly LabelledText[],
  poems: readonly TextDocument[],
): Promise<BenchRow[]> {
  const rows: BenchRow[] = []
  const embeddings = new Embeddings({ lattice, consensus: () => '', layers: noLayers })
  for (const [unit, batch] of Object.entries(unitsOf(texts, poems)) as [Unit, readonly string[]][]) {
    const { vectors } = await embeddings.embed('sgs', batch, DEFAULT_DIMENSIONS, new AbortController().signal)
    const vectorOf = (i: number): Float32Array => vectors.subarray(i * DEFAULT_DIMENSIONS, (i + 1) * DEFAULT_DIMENSIONS)
    rows.push(...areaRows(name, unit, texts, (a, b) => dot(vectorOf(a), vectorOf(b)), `${DEFAULT_DIMENSIONS} dimensions`))
  }
  return rows
}

function baselineRows(
  kernel: HanziKernel,
  texts: readonly LabelledText[],
  poems: readonly TextDocument[],
  train: readonly TextDocument[],
): BenchRow[] {
  const idf = inverseFrequency(
    kernel.definedCount,
    train.flat().map((line) => lineRows(kernel, line)),
  )
  return (Object.entries(unitsOf(texts, poems)) as [Unit, readonly string[]][]).flatMap(([unit, batch]) => {
    const bags = batch.map((text) => lineRows(kernel, text))
    const lsa = lsaScorer(kernel, train, bags, LSA_SEED)
    return [
      ...areaRows('bag of characters', unit, texts, (a, b) => cosine(bags[a]!, bags[b]!, () => 1), 'cosine'),
      ...areaRows('TF-IDF', unit, texts, (a, b) => cosine(bags[a]!, bags[b]!, (row) => idf[row]!), 'cosine; inverse frequency over lines'),
      ...areaRows('LSA-128', unit, texts, (a, b) => lsa(a)(b), 'cosine; characters by poems'),
    ]
  })
}

function cosine(a: Uint32Array, b: Uint32Array, weight: (row: number) => number): number {
  const square = (rows: Iterable<number>): number => [...rows].reduce((sum, row) => sum + weight(row) ** 2, 0)
  const others = new Set(b)
  return square(a.filter((row) => others.has(row))) / Math.sqrt(square(a) * square(b)) || 0
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

/** Latency and throughput over HTTP, and what a large batch does to others: to `ask` in the worker, and to the event loop. */
async function speedRows(lattice: LatticeCompute, lines: readonly string[]): Promise<BenchRow[]> {
  const embeddings = new Embeddings({ lattice, consensus: () => '', layers: noLayers })
  await using server = await openApiServer(
    { host: '127.0.0.1', port: 0 },
    {
      token: () => Promise.resolve(TOKEN),
      embed: (model, texts, dimensions, signal) => embeddings.embed(model, texts, dimensions, signal),
      ask: () => Promise.reject(new Error('not asked')),
      models: () => [],
      failed: (error) => {
        throw error
      },
    },
  )
  const request = async (input: readonly string[]): Promise<number> => {
    const began = performance.now()
    const answer = await fetch(`${server.url}/v1/embeddings`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'sgs', input, encoding_format: 'base64' }),
    })
    if (!answer.ok) throw new Error(await answer.text())
    await answer.arrayBuffer()
    return performance.now() - began
  }
  const preparing = performance.now()
  await request(lines.slice(0, 1))
  const rows: BenchRow[] = [
    {
      bench: 'embeddings',
      case: 'first request of a consensus',
      value: performance.now() - preparing,
      unit: 'ms',
      note: `finds the directions of the lattice and projects them on ${DEFAULT_DIMENSIONS} dimensions, in slices of 20 ms`,
    },
  ]
  let at = 0
  for (const size of [1, 64, 1_024]) {
    const delay = monitorEventLoopDelay({ resolution: 5 })
    delay.enable()
    const times: number[] = []
    for (let round = 0; round < (size === 1 ? SINGLE_ROUNDS : BATCH_ROUNDS); round++) {
      at = (at + size) % (lines.length - size)
      times.push(await request(lines.slice(at, at + size)))
    }
    delay.disable()
    const middle = median(times)
    rows.push({
      bench: 'embeddings',
      case: `request of ${size}, p50`,
      value: middle,
      unit: 'ms',
      note: `${((1_000 * size) / middle).toFixed(0)} texts/s; ${DEFAULT_DIMENSIONS} dimensions, base64; event loop p99 ${(delay.percentile(99) / 1e6).toFixed(0)} ms`,
    })
  }
  const batch = request(lines.slice(0, 2_048))
  const waits: number[] = []
  let done = false
  const ended = batch.then(() => (done = true))
  while (!done) {
    const began = performance.now()
    await lattice.ask(lines[0]!, 10)
    waits.push(performance.now() - began)
  }
  await ended
  rows.push({
    bench: 'embeddings',
    case: 'ask beside a request of 2,048, worst',
    value: Math.max(...waits),
    unit: 'ms',
    note: `median ${median(waits).toFixed(0)} ms of ${waits.length}`,
  })
  return rows
}

function noLayers(): never {
  throw new Error('no layers here')
}
