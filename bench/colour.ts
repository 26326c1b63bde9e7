import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CHUNK_COLOURS, type ColourKernelId, GOLDEN, hex64 } from '../packages/color/src/index.ts'
import { openColourCompute } from '../packages/compute/src/colour/open-colour-compute.ts'
import type { ColourCompute } from '../packages/compute/src/colour/port.ts'
import type { ColourEngine } from '../packages/compute/src/colour/engine.ts'
import { loadOnnxEngine } from '../packages/compute/src/colour/onnx/onnx-engine.ts'
import { loadNativeEngine } from '../packages/compute/src/colour/native-engine.ts'
import { loadReferenceEngine } from '../packages/compute/src/colour/reference-engine.ts'
import { loadWasmEngine } from '../packages/compute/src/colour/wasm-engine.ts'
import { type Bench, type BenchRow, type Measurement, median, medians } from './bench.ts'

/** Counted rounds of each measurement; with 100 ms each this bench takes about 20 s. */
const ROUNDS = 9

/** Of one thread against two: what else runs takes from two first, so these are more. */
const SCALING_ROUNDS = 15

/** How long a measurement is meant to take, ms. */
const MEASURE_MS = 100

const KERNELS: readonly ColourKernelId[] = ['turbo32', 'spi64']

/** The loops in WebAssembly, as an engine. */
interface WasmLoops {
  readonly label: string
  readonly engine: ColourEngine
}

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
  const loops = compileLoops(folder)
  const wasmLoops = compileWasmLoops(folder)
  const numpys = findNumpy()
  const onnx = await loadOnnxEngine(true).catch(() => undefined)
  const native = await loadNative()
  const engines = [...(native === undefined ? [] : [native]), loadedWasm, loadedReference, ...(onnx === undefined ? [] : [onnx])]
  const rows: BenchRow[] = []
  for (const kernel of KERNELS) {
    const measurements: Record<string, Measurement> = {}
    for (const engine of engines) measurements[engine.name] = () => engineRate(engine, kernel)
    for (const loop of wasmLoops) measurements[loop.label] = () => engineRate(loop.engine, kernel)
    for (const program of [...loops, ...numpys]) measurements[program.label] = calibrated(program, kernel)
    const rate = await medians(measurements, ROUNDS)
    const rateOf = ({ label }: { readonly label: string }): number => rate[label] ?? Number.NaN
    const row = (label: string, rest: Pick<BenchRow, 'ratio' | 'note'>): void => {
      rows.push({ bench: 'colour', case: `${kernel} ${label}`, value: rate[label] ?? Number.NaN, unit: 'G/s', ...rest })
    }
    const against = (engine: string, others: readonly { readonly label: string }[], what: string): void => {
      const best = Math.max(...others.map(rateOf))
      row(
        engine,
        others.length === 0 ? { note: `${what}: none here` } : { ratio: (rate[engine] ?? Number.NaN) / best, note: `ratio: to the best ${what}` },
      )
    }
    if (native !== undefined) against('native', loops, 'C loop')
    against('wasm', wasmLoops, 'wasm that clang makes of them')
    const first = native === undefined ? 'wasm' : 'native'
    for (const label of Object.keys(rate)) {
      if (label === 'native' || label === 'wasm') continue
      const engine = label.startsWith('numpy') || label.startsWith('clang') ? 'wasm' : first
      row(label, { ratio: (rate[engine] ?? Number.NaN) / (rate[label] ?? Number.NaN), note: `ratio: ${engine} to this` })
    }
  }
  await onnx?.close?.()
  if (onnx === undefined) rows.push(skipped('onnx', 'onnxruntime-node is not installed'))
  if (native === undefined) rows.push(skipped('native', 'the C engine is not built'))
  if (loops.length === 0) rows.push(skipped('C loops', 'no C compiler (cc) on this machine'))
  if (wasmLoops.length === 0) rows.push(skipped('clang wasm', 'no clang and wasm-ld on this machine'))
  if (numpys.length === 0) rows.push(skipped('numpy', 'python3 has none'))
  return rows
}

function skipped(name: string, why: string): BenchRow {
  return { bench: 'colour', case: name, value: 0, unit: 'G/s', note: `skipped: ${why}` }
}

async function loadNative(): Promise<ColourEngine | undefined> {
  try {
    return loadNativeEngine()
  } catch {
    return undefined
  }
}

/**
 * The worker pool with one and two threads, in turns: by the clock, which shows something only where two cores are free, and in
 * processor time, which tells what the threads cost each other and the pool.
 */
async function scalingRows(): Promise<BenchRow[]> {
  await using one = await openColourCompute({ threads: 1 })
  await using two = await openColourCompute({ threads: 2 })
  const rows: BenchRow[] = []
  for (const kernel of KERNELS) {
    const perCore: Record<'one' | 'two', number[]> = { one: [], two: [] }
    const measure = async (name: 'one' | 'two', compute: ColourCompute): Promise<number> => {
      const before = process.cpuUsage()
      const began = performance.now()
      const rate = await compute.measure(kernel, 2 * MEASURE_MS)
      const { user, system } = process.cpuUsage(before)
      perCore[name].push((rate * (performance.now() - began) * 1000) / (user + system))
      return rate
    }
    const rate = await medians({ one: () => measure('one', one), two: () => measure('two', two) }, SCALING_ROUNDS)
    const cost = median(perCore.two) / median(perCore.one)
    rows.push(
      { bench: 'colour', case: `${kernel} pool, 1 thread`, value: rate.one / 1e9, unit: 'G/s', note: one.engine },
      {
        bench: 'colour',
        case: `${kernel} pool, 2 threads`,
        value: rate.two / 1e9,
        unit: 'G/s',
        ratio: rate.two / (2 * rate.one),
        note: `ratio: to twice one thread; in processor time ${cost.toFixed(2)}`,
      },
    )
  }
  return rows
}

const loadedWasm = loadWasmEngine()
const loadedReference = loadReferenceEngine()

/** G colours per second of this thread's processor time, in the calls that a miner makes. */
async function engineRate(engine: ColourEngine, kernel: ColourKernelId): Promise<number> {
  const out = new BigUint64Array(engine.batch)
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

/** The same loops compiled to WebAssembly by clang, with the vectors that the wasm engine has. */
function compileWasmLoops(folder: string): WasmLoops[] {
  const file = join(folder, 'loops.wasm')
  const flags = ['--target=wasm32', '-O3', '-msimd128', '-nostdlib', '-Wl,--no-entry']
  if (spawnSync('clang', [...flags, '-o', file, join(import.meta.dirname, 'colour-loops.c')]).status !== 0) return []
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file)))
  const loops = exports as Record<string, (seed: bigint, count: bigint) => bigint>
  return ['', '_folded'].map((variant) => {
    const label = `clang -msimd128${variant === '' ? '' : ', folded'}`
    // the loops start at index 0; a start of any other is in the seed
    const xorRuns: ColourEngine['xorRuns'] = (kernel, seed, start, length, out) => {
      for (let run = 0; run < out.length; run++) {
        const from = seed + (start + BigInt(run * length)) * GOLDEN
        out[run] = loops[kernel + variant]!(BigInt.asUintN(64, from), BigInt(length))
      }
    }
    return { label, engine: { name: label, about: label, batch: loadedWasm.batch, xorRuns } }
  })
}

function findNumpy(): Program[] {
  if (spawnSync('python3', ['-c', 'import numpy']).status !== 0) return []
  const program = join(import.meta.dirname, 'colour-numpy.py')
  // as one writes it first, with long arrays, and with arrays that stay in the cache
  return [24, 16].map((bits) => ({ label: `numpy, arrays of 2^${bits}`, command: 'python3', args: [program, String(2 ** bits)], variant: '' }))
}
