import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CHUNK_COLOURS, type ColourKernelId, hex64 } from '../packages/color/src/index.ts'
import { openColourCompute } from '../packages/compute/src/colour/open-colour-compute.ts'
import type { ColourEngine } from '../packages/compute/src/colour/engine.ts'
import { loadOnnxEngine } from '../packages/compute/src/colour/onnx/onnx-engine.ts'
import { loadReferenceEngine } from '../packages/compute/src/colour/reference-engine.ts'
import { loadWasmEngine } from '../packages/compute/src/colour/wasm-engine.ts'
import { type Bench, type BenchRow, type Measurement, medians } from './bench.ts'

/** Counted rounds of each measurement; with 100 ms each this bench takes about 20 s. */
const ROUNDS = 9

/** How long a measurement is meant to take, ms. */
const MEASURE_MS = 100

/** Chunks per call of the wasm engine: a few ms, as a miner's. */
const RUNS = 8

const KERNELS: readonly ColourKernelId[] = ['turbo32', 'spi64']

/** Programs of this directory that print `RATE XOR`, with what they are. */
interface Program {
  readonly label: string
  readonly command: string
  readonly args: readonly string[]
  /** Suffix of the kernel's name. */
  readonly variant: string
}

export const bench: Bench = {
  name: 'colour',
  async run(): Promise<BenchRow[]> {
    const folder = mkdtempSync(join(tmpdir(), 'sgsd-bench-'))
    try {
      return [...(await engineRows(folder)), ...(await scalingRows())]
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

/** One thread, in processor time: the engines, the C loops and numpy in turns. */
async function engineRows(folder: string): Promise<BenchRow[]> {
  const programs = [...compileLoops(folder), ...findNumpy()]
  const onnx = await loadOnnxEngine(true).catch(() => undefined)
  const rows: BenchRow[] = []
  for (const kernel of KERNELS) {
    const measurements: Record<string, Measurement> = {
      wasm: () => engineRate(loadedWasm, kernel),
      reference: () => engineRate(loadedReference, kernel),
      ...(onnx === undefined ? {} : { onnx: () => engineRate(onnx, kernel) }),
    }
    for (const program of programs) measurements[program.label] = calibrated(program, kernel)
    const rate = await medians(measurements, ROUNDS)
    const wasm = rate['wasm'] ?? Number.NaN
    rows.push({ bench: 'colour', case: `${kernel} wasm`, value: wasm, unit: 'G/s', note: 'one thread' })
    for (const [label, value] of Object.entries(rate)) {
      if (label !== 'wasm')
        rows.push({ bench: 'colour', case: `${kernel} ${label}`, value, unit: 'G/s', ratio: wasm / value, note: 'ratio: wasm to this' })
    }
  }
  await onnx?.close?.()
  if (onnx === undefined) rows.push({ bench: 'colour', case: 'onnx', value: 0, unit: 'G/s', note: 'skipped: onnxruntime-node is not installed' })
  if (!programs.some(({ variant, command }) => variant === '' && command !== 'python3')) {
    rows.push({ bench: 'colour', case: 'C loops', value: 0, unit: 'G/s', note: 'skipped: no C compiler (cc) on this machine' })
  }
  return rows
}

/** The worker pool with one and two threads, in turns, by the clock: it only shows something where two cores are free. */
async function scalingRows(): Promise<BenchRow[]> {
  await using one = await openColourCompute({ threads: 1 })
  await using two = await openColourCompute({ threads: 2 })
  const rows: BenchRow[] = []
  for (const kernel of KERNELS) {
    const rate = await medians({ one: () => one.measure(kernel, 2 * MEASURE_MS), two: () => two.measure(kernel, 2 * MEASURE_MS) }, ROUNDS)
    rows.push(
      { bench: 'colour', case: `${kernel} pool, 1 thread`, value: rate.one / 1e9, unit: 'G/s', note: one.engine },
      {
        bench: 'colour',
        case: `${kernel} pool, 2 threads`,
        value: rate.two / 1e9,
        unit: 'G/s',
        ratio: rate.two / (2 * rate.one),
        note: 'ratio: to twice one thread',
      },
    )
  }
  return rows
}

const loadedWasm = loadWasmEngine()
const loadedReference = loadReferenceEngine()

/** G colours per second of this thread's processor time, in the calls that a miner makes. */
async function engineRate(engine: ColourEngine, kernel: ColourKernelId): Promise<number> {
  const out = new BigUint64Array(engine === loadedWasm ? RUNS : 1)
  const began = threadMs()
  let chunks = 0
  do {
    await engine.xorRuns(kernel, 7_202_985n, BigInt(chunks * CHUNK_COLOURS), CHUNK_COLOURS, out)
    chunks += out.length
  } while (threadMs() - began < MEASURE_MS)
  return (chunks * CHUNK_COLOURS) / (threadMs() - began) / 1e6
}

/** Processor time of this thread, ms: what other processes take meanwhile does not count. */
function threadMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

/** A program's measurement, over a count that its first run showed to take about MEASURE_MS; its XOR is checked each time. */
function calibrated({ label, command, args, variant }: Program, kernel: ColourKernelId): Measurement {
  const runOnce = (chunks: number): number => {
    const { stdout, status, error } = spawnSync(command, [...args, kernel + variant, String(chunks * CHUNK_COLOURS)], {
      encoding: 'utf8',
      timeout: 60_000,
    })
    const [rate, xor] = stdout.trim().split(' ')
    if (status !== 0 || rate === undefined) throw new Error(`${label} failed with status ${status}`, { cause: error })
    const out = new BigUint64Array(chunks)
    void loadedWasm.xorRuns(kernel, 7_202_985n, 0n, CHUNK_COLOURS, out)
    const expected = hex64(out.reduce((sum, value) => sum ^ value, 0n))
    if (`0x${xor}` !== expected) throw new Error(`${label} computes ${xor}, the wasm engine ${expected}`)
    return Number(rate)
  }
  let chunks = 0
  return () => {
    if (chunks === 0) chunks = Math.max(1, Math.round((runOnce(4) * 1e6 * MEASURE_MS) / CHUNK_COLOURS))
    return runOnce(chunks)
  }
}

/** The C loops for this machine, and once more with vectors of 128 bits, which is what wasm has. */
function compileLoops(folder: string): Program[] {
  const narrow = process.arch === 'x64' ? ['-msse4.1'] : []
  const builds = [
    { name: 'native', flags: ['-O3', '-march=native'] },
    { name: '128-bit', flags: ['-O3', ...narrow] },
  ]
  const source = join(import.meta.dirname, 'colour-loops.c')
  return builds.flatMap(({ name, flags }) => {
    const program = join(folder, name)
    if (spawnSync('cc', [...flags, '-o', program, source]).status !== 0) return []
    const label = `C ${flags.join(' ')}`
    return [
      { label, command: program, args: [], variant: '' },
      { label: `${label}, folded`, command: program, args: [], variant: '-folded' },
    ]
  })
}

function findNumpy(): Program[] {
  if (spawnSync('python3', ['-c', 'import numpy']).status !== 0) return []
  const program = join(import.meta.dirname, 'colour-numpy.py')
  // as one writes it first, with long arrays, and with arrays that stay in the cache
  return [24, 16].map((bits) => ({ label: `numpy, arrays of 2^${bits}`, command: 'python3', args: [program, String(2 ** bits)], variant: '' }))
}
