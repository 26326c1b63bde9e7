import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { zstdDecompressSync } from 'node:zlib'
import {
  buildLattice,
  converge,
  type Csr,
  HANZI_TABLE_FILE,
  type LatticeMatrices,
  type LearnedRow,
  MAX_TABLE_BYTES,
  parseHanziTable,
  squaredDistance,
  withRows,
} from '@sgsd/lattice'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SWIFTSHADER } from '../../colour/webgpu/swiftshader.fixture.ts'
import { thisMachine } from '../../machine.ts'
import { loadOrt, type Ort } from '../../onnx/ort.ts'
import { makeCanary } from '../canary.ts'
import { STABLE_PROFILE, type Trajectory } from '../step-engine.ts'
import { OnnxStepEngine } from './onnx-step-engine.ts'
import { StackedEll } from './stacked-ell.ts'

const here = thisMachine()
const hasOnnx = here.ortFolder !== undefined && here.exists(here.ortFolder)

/** Greatest difference of an entry that rounding to binary32 explains. */
const ROUNDING = 1e-5

/** Rows of up to `longest` edges, a few of them near it, most of a few edges. */
function lattice(rows: number, longest: number, seed: number): LatticeMatrices {
  let word = seed
  const next = (below: number): number => {
    word = (Math.imul(word, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((word / 2 ** 32) * below)
  }
  const side = (): Csr => {
    const ptr = new Uint32Array(rows + 1)
    const cols: number[] = []
    for (let row = 0; row < rows; row++) {
      const edges = Math.min(rows, row % 50 === 0 ? longest - next(100) : next(3) === 0 ? 0 : next(9))
      const chosen = new Set<number>()
      while (chosen.size < edges) chosen.add(next(rows))
      cols.push(...[...chosen].sort((a, b) => a - b))
      ptr[row + 1] = cols.length
    }
    return { rows, ptr, cols: Uint32Array.from(cols), vals: Float32Array.from(cols, () => next(1_001) / 1_000) }
  }
  return { tau: side(), rho: side() }
}

function stateOf(rows: number, every: number): Float32Array {
  return Float32Array.from({ length: rows }, (_, row) => (row % every === 0 ? ((row % 11) + 1) / 11 : 0))
}

/** What the rectangles and joins say each stacked row's edges are. */
function edgesOf(table: StackedEll): Map<number, Map<number, number>> {
  const segments: Map<number, number>[] = Array.from({ length: table.learned.height }, () => new Map())
  for (const { width, height, columns, weights } of table.buckets) {
    for (let j = 0; j < height; j++) {
      const edges = new Map<number, number>()
      for (let k = 0; k < width; k++) if (weights[k * height + j] !== 0) edges.set(columns[k * height + j]!, weights[k * height + j]!)
      segments.push(edges)
    }
  }
  segments.push(new Map())
  const sums = [...segments]
  for (const { width, height, segments: named } of table.joins) {
    for (let j = 0; j < height; j++) sums.push(new Map(Array.from({ length: width }, (_, k) => [...segments[named[k * height + j]!]!]).flat()))
  }
  return new Map([...table.places].map((place, row) => [row, sums[place]!]))
}

test('every edge of every row stands in the layout once, whatever the lengths of the rows', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat({ max: 700 }), fc.nat({ max: 140 })), { minLength: 1, maxLength: 12 }),
      fc.nat({ max: 4 }),
      (lengths, room) => {
        const rows = Math.max(lengths.length, ...lengths.flat())
        const side = (which: 0 | 1): Csr => {
          const ptr = Uint32Array.from({ length: rows + 1 }, (_, row) => lengths.slice(0, row).reduce((sum, pair) => sum + pair[which], 0))
          const cols = Uint32Array.from(lengths.flatMap((pair) => Array.from({ length: pair[which] }, (_, k) => k)))
          return { rows, ptr, cols, vals: Float32Array.from(cols, (column) => 1 + column) }
        }
        const [tau, rho] = [side(0), side(1)]
        const found = edgesOf(new StackedEll({ tau, rho }, room))
        for (let row = 0; row < 2 * rows; row++) {
          const length = lengths[row % rows]?.[row < rows ? 0 : 1] ?? 0
          expect(found.get(row)).toEqual(new Map(Array.from({ length }, (_, k) => [k, 1 + k])))
        }
      },
    ),
  )
})

test('padding stays below the edges and 3 a row', () => {
  const { tau, rho } = lattice(6_000, 4_800, 3)
  const { buckets } = new StackedEll({ tau, rho }, 0)
  const places = buckets.reduce((sum, { columns }) => sum + columns.length, 0)
  expect(places).toBeLessThan(2 * (tau.cols.length + rho.cols.length) + 3 * 2 * 6_000)
  expect(buckets.every(({ width }) => width <= 64)).toBe(true)
})

describe.runIf(hasOnnx)('on ONNX Runtime', () => {
  let ort: Ort
  beforeAll(async () => {
    ort = await loadOrt()
  })

  const run = async (matrices: LatticeMatrices, provider: 'cpu' | 'webgpu', start: Float32Array): Promise<Trajectory> => {
    const engine = new OnnxStepEngine(ort, provider, STABLE_PROFILE)
    try {
      await engine.load(matrices)
      return await engine.converge(start, start)
    } finally {
      await engine.release()
    }
  }

  test.for([
    { name: 'the shipped lattice', matrices: shipped },
    { name: 'a lattice with rows of 4,800 edges, as evidence derives them', matrices: () => lattice(6_000, 4_800, 5) },
    { name: 'a lattice without edges', matrices: () => ({ tau: empty(9), rho: empty(9) }) },
  ])('the graph steps $name as the reference does', { timeout: 30_000 }, async ({ matrices: make }) => {
    const matrices = make()
    const start = stateOf(matrices.tau.rows, 61)
    const expected = converge(matrices, start, { teacher: start })
    const { state, steps } = await run(matrices, 'cpu', start)
    expect(steps).toBe(expected.steps)
    expect(squaredDistance(state, expected.s)).toBeLessThan(ROUNDING ** 2)
  })

  test('learned rows go to the device without a new graph, and a row longer than any learned one with a new one', async () => {
    const matrices = lattice(2_000, 1_500, 11)
    const engine = new OnnxStepEngine(ort, 'cpu', STABLE_PROFILE)
    await engine.load(matrices)
    const start = stateOf(2_000, 7)
    const replaced: Parameters<OnnxStepEngine['setRow']>[] = [
      [50, edges(40)],
      [51, edges(64)],
      [50, edges(2)],
      [52, edges(900)],
      [51, edges(0)],
    ]
    const rows = new Map<number, LearnedRow>()
    for (const [row, each] of replaced) {
      engine.setRow(row, each)
      rows.set(row, each)
      const { state } = await engine.converge(start, start)
      const other = new OnnxStepEngine(ort, 'cpu', STABLE_PROFILE)
      await other.load(withRows(matrices, rows))
      expect(squaredDistance(state, (await other.converge(start, start)).state)).toBeLessThan(ROUNDING ** 2)
      await other.release()
    }
    await engine.release()
  })

  describe.runIf(SWIFTSHADER !== undefined)(
    SWIFTSHADER === undefined
      ? 'NOT RUN: WebGPU needs a software GPU here (apt-get install chromium libvulkan1)'
      : 'on WebGPU, by the software GPU SwiftShader',
    () => {
      const before = process.env['VK_ICD_FILENAMES']
      beforeAll(() => {
        process.env['VK_ICD_FILENAMES'] = SWIFTSHADER
      })
      afterAll(() => {
        if (before === undefined) delete process.env['VK_ICD_FILENAMES']
        else process.env['VK_ICD_FILENAMES'] = before
      })

      test('the graph gives the bits of the CPU provider: the order of every sum is fixed', { timeout: 120_000 }, async () => {
        for (const matrices of [makeCanary(600).matrices, lattice(700, 690, 17)]) {
          const start = stateOf(matrices.tau.rows, 5)
          expect(await run(matrices, 'webgpu', start)).toEqual(await run(matrices, 'cpu', start))
        }
      })
    },
  )
})

function shipped(): LatticeMatrices {
  const table = parseHanziTable(
    zstdDecompressSync(readFileSync(fileURLToPath(import.meta.resolve(HANZI_TABLE_FILE))), { maxOutputLength: MAX_TABLE_BYTES }),
  )
  if ('error' in table) throw new Error(table.error)
  return buildLattice(table)
}

function empty(rows: number): Csr {
  return { rows, ptr: new Uint32Array(rows + 1), cols: new Uint32Array(0), vals: new Float32Array(0) }
}

/** A row of so many edges in both matrices. */
function edges(count: number): LearnedRow {
  const cols = Uint32Array.from({ length: count }, (_, k) => 2 * k)
  const vals = Float32Array.from(cols, (column) => 1 / (1 + column))
  return { tauCols: cols, tauVals: vals, rhoCols: cols.map((column) => column + 1), rhoVals: vals }
}
