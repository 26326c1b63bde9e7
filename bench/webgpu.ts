import { CHUNK_COLOURS, type ColourKernelId, hex64, IHOR, rangeXor } from '../packages/color/src/index.ts'
import { openColourCompute } from '../packages/compute/src/colour/open-colour-compute.ts'
import { type Dawn, loadDawn } from '../packages/compute/src/colour/webgpu/dawn.ts'
import { GpuDevice } from '../packages/compute/src/colour/webgpu/gpu-device.ts'
import { GpuEngine } from '../packages/compute/src/colour/webgpu/gpu-engine.ts'
import { loadWebgpuEngine } from '../packages/compute/src/colour/webgpu/webgpu-engine.ts'
import { type Bench, type BenchRow, median, medians } from './bench.ts'

/** Counted rounds of each measurement. */
const ROUNDS = 9

/** How long a measurement takes at least, ms: some thirty calls of the engine on a GPU. */
const MEASURE_MS = 1_000

/** Time of one dispatch of the limit's kernel, ms: what the host adds is then lost in it. */
const LIMIT_DISPATCH_MS = 25

/** Colours of the published turbo32 figure and what it is: seed ^ XOR of all. */
const PUBLISHED = { count: 500_000_000, fingerprint: 0xab11046cn } as const

/** Colours of the same check on a software adapter, against the reference. */
const SOFTWARE_COUNT = 2_000_000

/**
 * 32-bit operations of a colour as `colour-shader.ts` writes them: turbo32 adds once, multiplies twice, shifts and XORs twice, and XORs
 * into the sum. spi64: 5 for the carry of the index, 2 · 6 for shifts across halves, 2 · 19 for products of 64 bits, 2 for the sum.
 */
const OPERATIONS: Readonly<Record<ColourKernelId, number>> = { turbo32: 8, spi64: 57 }

/** Lanes of the limit's kernel: enough workgroups of 256 to fill any GPU several times over. */
const LIMIT_WORKGROUPS = 8_192

/** Independent chains of a lane, and steps that the text of the kernel repeats. */
const CHAINS = 4
const UNROLLED = 8

/** Operations of a step: shift, XOR, multiply, add. */
const STEP_OPERATIONS = 4

export const bench: Bench = {
  name: 'webgpu',
  async run(): Promise<BenchRow[]> {
    try {
      // in a process of its own first, since a broken driver may crash or hang whoever loads it
      await (await loadWebgpuEngine(true)).close?.()
    } catch (error) {
      return [{ bench: 'webgpu', case: 'GPU', value: 0, unit: 'G/s', note: `skipped: ${error instanceof Error ? error.message : String(error)}` }]
    }
    const dawn = await loadDawn()
    const limit = await integerLimit(dawn)
    const device = await GpuDevice.open(dawn)
    const engine = await GpuEngine.on(async () => device)
    await checkFingerprint(engine, device.software)
    await using pool = await openColourCompute({ threads: 1, engine: 'webgpu' })
    const rows: BenchRow[] = [{ bench: 'webgpu', case: '32-bit integer operations', value: limit / 1e9, unit: 'G/s', note: device.name }]
    for (const kernel of ['turbo32', 'spi64'] as const) {
      const rate = await medians({ engine: () => engineRate(engine, kernel), pool: () => pool.measure(kernel, MEASURE_MS) }, ROUNDS)
      rows.push(
        {
          bench: 'webgpu',
          case: `${kernel} kernel`,
          value: rate.engine / 1e9,
          unit: 'G/s',
          ratio: (rate.engine * OPERATIONS[kernel]) / limit,
          note: `ratio: of the limit, at ${OPERATIONS[kernel]} operations a colour`,
        },
        {
          bench: 'webgpu',
          case: `${kernel} pool`,
          value: rate.pool / 1e9,
          unit: 'G/s',
          ratio: rate.pool / rate.engine,
          note: 'ratio: to the kernel',
        },
      )
    }
    await engine.close()
    return rows
  },
}

/** @throws Error when the card computes something else than everybody */
async function checkFingerprint(engine: GpuEngine, software: boolean): Promise<void> {
  const count = software ? SOFTWARE_COUNT : PUBLISHED.count
  const expected = software ? IHOR ^ rangeXor('turbo32', IHOR, 0n, BigInt(count)) : PUBLISHED.fingerprint
  const out = new BigUint64Array(1)
  await engine.xorRuns('turbo32', IHOR, 0n, count, out)
  const fingerprint = IHOR ^ (out[0] ?? 0n)
  if (fingerprint !== expected) throw new Error(`${count} turbo32 colours have the fingerprint ${hex64(fingerprint)}, not ${hex64(expected)}`)
}

/** Colours per second, in calls as the pool makes them. */
async function engineRate(engine: GpuEngine, kernel: ColourKernelId): Promise<number> {
  const began = performance.now()
  let chunks = 0
  do {
    const out = new BigUint64Array(engine.batch)
    await engine.xorRuns(kernel, IHOR, BigInt(chunks * CHUNK_COLOURS), CHUNK_COLOURS, out)
    chunks += out.length
  } while (performance.now() - began < MEASURE_MS)
  return (chunks * CHUNK_COLOURS * 1000) / (performance.now() - began)
}

/**
 * The most 32-bit integer operations per second that the card does of the mix which the colours need: chains of
 * x = (x ^ x ≫ 15) · m + c that stay in registers, median of the rounds.
 */
async function integerLimit(dawn: Dawn): Promise<number> {
  const adapter = await dawn.gpu.requestAdapter({ powerPreference: 'high-performance' })
  const device = await adapter?.requestDevice()
  if (device === undefined) throw new Error('the adapter that was there a moment ago is gone')
  const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module: device.createShaderModule({ code: limitShader() }) } })
  const turns = device.createBuffer({ size: 16, usage: dawn.usage.UNIFORM | dawn.usage.COPY_DST })
  const sink = device.createBuffer({ size: LIMIT_WORKGROUPS * 4, usage: dawn.usage.STORAGE | dawn.usage.COPY_SRC })
  const readable = device.createBuffer({ size: 4, usage: dawn.usage.MAP_READ | dawn.usage.COPY_DST })
  const bindings = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [
      { binding: 0, resource: { buffer: turns } },
      { binding: 1, resource: { buffer: sink } },
    ],
  })

  /** Operations per second of one dispatch. */
  const dispatch = async (workgroups: number, count: number): Promise<{ readonly ms: number; readonly rate: number }> => {
    device.queue.writeBuffer(turns, 0, Uint32Array.of(count))
    const encoder = device.createCommandEncoder()
    const pass = encoder.beginComputePass()
    pass.setPipeline(pipeline)
    pass.setBindGroup(0, bindings)
    pass.dispatchWorkgroups(workgroups)
    pass.end()
    encoder.copyBufferToBuffer(sink, 0, readable, 0, 4)
    const began = performance.now()
    device.queue.submit([encoder.finish()])
    await readable.mapAsync(1)
    const ms = performance.now() - began
    readable.unmap()
    return { ms, rate: (workgroups * 256 * count * UNROLLED * CHAINS * STEP_OPERATIONS * 1000) / ms }
  }

  // a software adapter is busy long enough with a few workgroups
  let workgroups = 16
  let count = 1
  // the first dispatches of a shape may compile
  const settled = async (): Promise<number> => Math.min((await dispatch(workgroups, count)).ms, (await dispatch(workgroups, count)).ms)
  while ((await settled()) < LIMIT_DISPATCH_MS) {
    if (workgroups < LIMIT_WORKGROUPS) workgroups *= 2
    else count *= 2
  }
  const rates: number[] = []
  for (let round = 0; round < ROUNDS; round++) rates.push((await dispatch(workgroups, count)).rate)
  device.destroy()
  return median(rates)
}

function limitShader(): string {
  const chains = Array.from({ length: CHAINS }, (_, chain) => `x${chain}`)
  const steps = chains.map((x, chain) => `    ${x} = (${x} ^ (${x} >> 15u)) * 0x1ce4e5b9u + 0x7f4a7c1${chain}u;`).join('\n')
  return `
@group(0) @binding(0) var<uniform> turns: vec4u;
@group(0) @binding(1) var<storage, read_write> sink: array<u32>;
@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(workgroup_id) group: vec3u) {
${chains.map((x, chain) => `  var ${x} = id.x + ${chain}u;`).join('\n')}
  for (var turn = 0u; turn < turns.x; turn++) {
${Array.from({ length: UNROLLED }, () => steps).join('\n')}
  }
  // never true, which the compiler cannot know
  if ((${chains.join(' ^ ')}) == 0x9e3779b9u && turns.y == 1u) { sink[group.x] = x0; }
}
`
}
