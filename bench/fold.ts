// The folds by every kernel, and what the lattice worker does: a fold of three heads, a farmed line, an answer.
import { readFileSync } from 'node:fs'
import { zstdDecompressSync } from 'node:zlib'
import { blocksOf } from '../packages/compute/src/lattice/learning/learned-blocks.ts'
import { openLatticeCompute } from '../packages/compute/src/lattice/open-lattice-compute.ts'
import type { LatticeCompute, LayerContent } from '../packages/compute/src/lattice/port.ts'
import type { LayerId, PeerName } from '../packages/consensus/src/index.ts'
import { buildLattice, type HanziKernel, type LatticeMatrices, rowAt } from '../packages/lattice/src/index.ts'
import { encodeRowBlock, encodeStateBlock } from '../packages/wire/src/index.ts'
import { type Bench, type BenchRow, median } from './bench.ts'
import { kernelRows } from './fold-kernels.ts'
import { readKernel } from './lattice-build.ts'

const TEXT = '人工智能正在改变世界'

/** Lines that each of the three members farms before its layer is folded. */
const LINES = 150

const FOLDS = 7
const ASKS = 25

/** Kangxi radicals. */
const RADICALS = 214

export const bench: Bench = {
  name: 'fold',
  async run(): Promise<BenchRow[]> {
    const kernel = readKernel()
    const matrices = buildLattice(kernel)
    return [...kernelRows(), ...(await workerRows(kernel, matrices))]
  },
}

async function workerRows(kernel: HanziKernel, matrices: LatticeMatrices): Promise<BenchRow[]> {
  await using compute = await openLatticeCompute()
  const corpus = zstdDecompressSync(readFileSync(new URL('../packages/lattice/data/corpus/tang.txt.zst', import.meta.url)))
  const lines = corpus
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
  const layers: LayerContent[] = []
  const lineMs: number[] = []
  for (let member = 0; member < 3; member++) {
    await using farmer = await openLatticeCompute()
    await farmer.setOwned(radicalsOf(member))
    const began = performance.now()
    await farmer.farm(lines.slice(member * LINES, (member + 1) * LINES + 1))
    lineMs.push((performance.now() - began) / LINES)
    const { radicals, state } = await farmer.commit()
    layers.push({ layer: layerId(member), radicals, state })
  }
  const learned = await foldMs(compute, layers)
  const whole = await foldMs(
    compute,
    [0, 1, 2].map((member) => wholeLayer(kernel, matrices, member)),
  )
  const asks: number[] = []
  for (let i = 0; i < ASKS; i++) {
    const began = performance.now()
    await compute.ask(TEXT, 10)
    asks.push(performance.now() - began)
  }
  asks.sort((a, b) => a - b)
  const row = (name: string, value: number, note: string): BenchRow => ({ bench: 'fold', case: name, value, unit: 'ms', note })
  return [
    row('farm a line', median(lineMs), `three members with a third of the radicals each, ${LINES} lines`),
    row('fold of 3 heads', learned.ms, `${learned.rows} learned rows; digest and loading into the engine included`),
    row('fold of 3 heads that hold every row', whole.ms, `${whole.rows} rows, ${whole.nnz} edges`),
    row('ask, median', median(asks), 'through the worker thread'),
    row('ask, 95th percentile', asks[Math.floor(asks.length * 0.95)]!, ''),
  ]
}

/** Folds that begin with nobody's rows each time. */
async function foldMs(compute: LatticeCompute, layers: readonly LayerContent[]): Promise<{ ms: number; rows: number; nnz: number }> {
  const members = layers.map(({ layer }, member) => ({ peer: `member${member}` as PeerName, seq: 1n, layer, weight: 1 }))
  const times: number[] = []
  let rows = 0
  let nnz = 0
  for (let i = 0; i <= FOLDS; i++) {
    for (const layer of layers) {
      const refusal = await compute.load(layer)
      if (refusal !== undefined) throw new Error(refusal)
    }
    const report = await compute.fold(members)
    if (i > 0) times.push(report.ms)
    rows = report.rows
    nnz = report.nnz
    await compute.fold([])
  }
  return { ms: median(times), rows, nnz }
}

/** A layer with every row of a third of the radicals, as the kernel has them. */
function wholeLayer(kernel: HanziKernel, matrices: LatticeMatrices, member: number): LayerContent {
  const wanted = new Set(radicalsOf(member))
  const rows = new Map(
    Array.from({ length: kernel.definedCount }, (_, row) => row)
      .filter((row) => wanted.has(kernel.radicals[row]!))
      .map((row) => [row, rowAt(matrices, row)] as const),
  )
  const radicals = blocksOf(rows, kernel.radicals).map((block) => ({ radical: block.radical, bytes: encodeRowBlock(block) }))
  return { layer: layerId(member + 3), radicals, state: encodeStateBlock(new Float32Array(kernel.definedCount)) }
}

function radicalsOf(member: number): number[] {
  return Array.from({ length: RADICALS }, (_, index) => index + 1).filter((radical) => radical % 3 === member)
}

function layerId(author: number): LayerId {
  return String(author).repeat(64) as LayerId
}
