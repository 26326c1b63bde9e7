import { triadicRun, TRIADIC_STRIDE, type TriadicProfile } from '@sgsd/color'
import type { ColourEngine } from './engine.ts'
import { CONTROL, indexAt, isTriadic, UNIT_COLOURS, unitsOf, type ColourJob } from './job.ts'

/** What became of a job when a thread took its next units: more may be left, none are, or this thread just finished the last. */
export type Progress = 'more' | 'taken' | 'complete'

/** Takes the next units of a job, one engine call's worth, and computes them. */
export async function workOnce(engine: ColourEngine, job: ColourJob): Promise<Progress> {
  if (Atomics.load(job.control, CONTROL.stop) !== 0n) return 'taken'
  const units = unitsOf(job)
  const most = isTriadic(job.kernel) && engine.triadicRuns === undefined ? 1 : engine.batch
  const first = Atomics.add(job.control, CONTROL.next, BigInt(most))
  if (first >= units) return 'taken'
  const left = units - first
  const batch = left < BigInt(most) ? Number(left) : most
  const xors = job.values?.subarray(Number(first), Number(first) + batch) ?? new BigUint64Array(batch)
  await computeUnits(engine, job, first, xors)
  Atomics.xor(job.control, CONTROL.xor, BigInt.asIntN(64, xorOf(xors)))
  const done = Atomics.add(job.control, CONTROL.done, BigInt(batch)) + BigInt(batch)
  return done === units ? 'complete' : 'more'
}

/** Whole units in one call; a short unit at the end of the job in its own. */
async function computeUnits(engine: ColourEngine, job: ColourJob, first: bigint, xors: BigUint64Array): Promise<void> {
  const offset = first * BigInt(UNIT_COLOURS)
  const colours = job.count - offset
  const whole = colours < BigInt(xors.length * UNIT_COLOURS) ? xors.length - 1 : xors.length
  if (whole > 0) await computeRuns(engine, job, offset, UNIT_COLOURS, xors.subarray(0, whole))
  if (whole === xors.length) return
  const rest = Number(colours) - whole * UNIT_COLOURS
  await computeRuns(engine, job, offset + BigInt(whole * UNIT_COLOURS), rest, xors.subarray(whole))
}

function computeRuns(engine: ColourEngine, job: ColourJob, place: bigint, length: number, xors: BigUint64Array): void | Promise<void> {
  const { kernel, seed } = job
  const start = indexAt(job, place)
  if (!isTriadic(kernel)) return engine.xorRuns(kernel, seed, start, length, xors)
  if (engine.triadicRuns !== undefined) return engine.triadicRuns(kernel, seed, start, length, xors)
  plainTriadicRuns(kernel, seed, start, length, xors)
}

/** `triadicRuns` in plain JavaScript. */
export function plainTriadicRuns(profile: TriadicProfile, seed: bigint, start: bigint, length: number, out: BigUint64Array): void {
  const stride = BigInt(length) * TRIADIC_STRIDE
  for (let run = 0; run < out.length; run++) out[run] = triadicRun(profile, seed, start + BigInt(run) * stride, length)
}

/** XOR of the values, by halves: a GPU answers with 100,000 at once, and a bigint for each would take longer than the colours. */
function xorOf(values: BigUint64Array): bigint {
  const halves = new Uint32Array(values.buffer, values.byteOffset, 2 * values.length)
  let low = 0
  let high = 0
  for (let i = 0; i < halves.length; i += 2) {
    low ^= halves[i]!
    high ^= halves[i + 1]!
  }
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)
}
