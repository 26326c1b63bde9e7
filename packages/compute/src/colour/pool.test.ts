import { readdirSync, readFileSync } from 'node:fs'
import { chunkValue } from '@sgsd/color'
import { afterEach, describe, expect, test } from 'vitest'
import { ComputeError } from '../compute-error.ts'
import { openColourCompute } from './open-colour-compute.ts'
import { ColourPool } from './pool.ts'
import { COLOUR_WORKER } from './worker-thread.ts'

/** Seeds that `test-engines.child.ts` dies of. */
const EXITS = 0xdead_0001n
const THROWS = 0xdead_0002n

const never = new AbortController().signal
const opened: ColourPool[] = []

async function openPool(file: string, options: { threads?: number; duty?: number; engine?: string } = {}): Promise<ColourPool> {
  const pool = await ColourPool.open({ threads: 2, duty: 1, niceness: 10, ...options, worker: new URL(file, import.meta.url) })
  opened.push(pool)
  return pool
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((pool) => pool.close()))
})

describe('a worker that dies', () => {
  test.each([
    [EXITS, 'exit code 3'],
    [THROWS, 'the device is gone'],
  ])('of seed %d fails the calls in flight, is replaced, and the next call is right', async (seed, detail) => {
    const pool = await openPool('./test-engines.child.ts')
    const mining = pool.rangeXor('spi64', 1n, 0n, 2n ** 60n, never)
    const crashed = expect.objectContaining({
      name: 'ComputeError',
      code: 'WORKER_CRASHED',
      data: { worker: expect.stringMatching(/^colour-[01]$/), detail },
    })
    const outcomes = await Promise.allSettled([mining, pool.chunkValues('spi64', seed, 0n, 1, never)])
    expect(outcomes).toEqual([
      { status: 'rejected', reason: crashed },
      { status: 'rejected', reason: crashed },
    ])
    expect([...(await pool.chunkValues('spi64', 8n, 9n, 4, never))]).toEqual([9n, 10n, 11n, 12n].map((chunk) => chunkValue('spi64', 8n, chunk)))
  })

  test('time and again costs its engine the work: the next best takes over, and the reports say why', async () => {
    const pool = await openPool('./test-engines.child.ts')
    expect(pool.engine).toBe('mortal')
    expect(await untilAnswered(pool)).toBe(chunkValue('spi64', THROWS, 5n))
    expect(pool.engine).toBe('reference')
    expect(pool.engines).toEqual([
      { engine: 'mortal', state: 'wrong', why: 'its threads died 8 times in a row: the device is gone' },
      { engine: 'reference', state: 'active', why: expect.stringMatching(/^plain JavaScript/) },
    ])
  })

  test('time and again without another engine is not replaced for ever, and calls then say so', async () => {
    const pool = await openPool('./test-engines.child.ts', { threads: 1, engine: 'mortal' })
    await expect(untilAnswered(pool)).rejects.toMatchObject({
      code: 'NO_ENGINE',
      data: { tried: ['mortal: its threads died 8 times in a row: the device is gone', 'reference: mortal was asked for'] },
    })
  })
})

test('without a right engine a pool does not open, and the reason names the engine', async () => {
  await expect(openPool('./wrong-engines.child.ts')).rejects.toMatchObject({
    code: 'NO_ENGINE',
    data: { tried: [expect.stringMatching(/^careless: spi64, seed 0, 1 colours from 0: XOR 0x0, known to be/)] },
  })
})

test('a wrong engine is quarantined and named, however fast; the next best does the work', async () => {
  const pool = await openPool('./quarantine.child.ts')
  expect(pool.engine).toBe('reference')
  expect(pool.engines).toEqual([
    { engine: 'careless', state: 'wrong', why: 'spi64, seed 0, 1 colours from 0: XOR 0x0, known to be 0xe220a8397b1dcdaf' },
    { engine: 'reference', state: 'active', why: expect.stringMatching(/^plain JavaScript, /) },
  ])
  expect([...(await pool.chunkValues('spi64', 8n, 9n, 1, never))]).toEqual([chunkValue('spi64', 8n, 9n)])
  expect((await pool.benchEngines(['turbo32'], 10, never)).map(({ engine, ok }) => [engine, ok])).toEqual([['reference', true]])
})

test('a worker file that cannot run is a coded error', async () => {
  await expect(openPool('./no-such-file.ts')).rejects.toMatchObject({
    code: 'WORKER_CRASHED',
    data: { worker: expect.stringMatching(/^colour-[01]$/) },
  })
})

test('a long job leaves room for a short one', async () => {
  const pool = await openPool('./worker.ts')
  const abort = new AbortController()
  const mining = pool.rangeXor('spi64', 1n, 0n, 2n ** 60n, abort.signal).catch(() => 'stopped')
  const began = performance.now()
  const values = await pool.chunkValues('spi64', 2n, 0n, 1, never)
  expect(performance.now() - began).toBeLessThan(2_000)
  expect([...values]).toEqual([chunkValue('spi64', 2n, 0n)])
  abort.abort()
  expect(await mining).toBe('stopped')
})

test('duty is a share of the full rate', async () => {
  const [full, tenth] = [await openPool('./worker.ts', { threads: 1 }), await openPool('./worker.ts', { threads: 1, duty: 0.1 })]
  const rates = [await full.measure('spi64', 250), await tenth.measure('spi64', 250)] as const
  expect(rates[1]).toBeGreaterThan(0)
  expect(rates[1] / rates[0]).toBeLessThan(0.5)
})

test.runIf(process.platform === 'linux')('its threads, and only they, give way to other processes', async () => {
  const before = niceThreads()
  await openPool('./worker.ts', { threads: 3 })
  expect(niceThreads() - before).toBe(3)
})

test.each([{ threads: 0 }, { threads: 1.5 }, { threads: 5000 }, { duty: 0 }, { duty: 1.1 }, { duty: Number.NaN }])('refuses %j', async (options) => {
  await expect(openColourCompute(options)).rejects.toThrow(RangeError)
})

test('in a checkout the worker is TypeScript', () => {
  expect(COLOUR_WORKER.pathname).toMatch(/\/colour\/worker\.ts$/)
})

/** Threads of this process with a niceness of 10: field 19 of /proc/…/stat, counted behind the name in brackets. */
function niceThreads(): number {
  const fields = (task: string): string[] =>
    readFileSync(`/proc/self/task/${task}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
  return readdirSync('/proc/self/task').filter((task) => fields(task)[16] === '10').length
}

/** Asks for a chunk that the mortal engine dies of, until another answers. @throws what is no crash */
async function untilAnswered(pool: ColourPool): Promise<bigint | undefined> {
  for (;;) {
    try {
      return (await pool.chunkValues('spi64', THROWS, 5n, 1, never))[0]
    } catch (error) {
      if (!(error instanceof ComputeError && error.code === 'WORKER_CRASHED')) throw error
    }
  }
}
