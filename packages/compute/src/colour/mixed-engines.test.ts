import { chunkValue } from '@sgsd/color'
import { expect, test } from 'vitest'
import { ColourPool } from './pool.ts'

/** The seed that the card of `mixed-engines.child.ts` dies of. */
const EXITS = 0xdead_0001n

const never = new AbortController().signal
const worker = new URL('./mixed-engines.child.ts', import.meta.url)

test('a card that one thread feeds works beside the cores, and all values are right', async () => {
  await using pool = await ColourPool.open({ threads: 3, duty: 1, niceness: 10, worker })
  expect(pool).toMatchObject({ engine: 'card', threads: 3 })
  expect(pool.engines).toEqual([
    { engine: 'card', state: 'active', why: expect.stringMatching(/^a card, /) },
    { engine: 'reference', state: 'standby', why: expect.stringMatching(/^plain JavaScript, .*, on 2 threads beside card$/) },
  ])
  const values = await pool.chunkValues('spi64', 5n, 100n, 40, never)
  expect([...values]).toEqual(Array.from(values, (_, chunk) => chunkValue('spi64', 5n, 100n + BigInt(chunk))))
})

test('a card that keeps dying is given up, and the cores go on', async () => {
  await using pool = await ColourPool.open({ threads: 2, duty: 1, niceness: 10, worker })
  // what the cores finish meanwhile does not speak for the card
  while (pool.engine === 'card') await pool.chunkValues('spi64', EXITS, 3n, 6, never).catch(() => undefined)
  const values = await pool.chunkValues('spi64', EXITS, 3n, 6, never)
  expect([...values]).toEqual(Array.from(values, (_, chunk) => chunkValue('spi64', EXITS, 3n + BigInt(chunk))))
  expect(pool.engines).toEqual([
    { engine: 'card', state: 'wrong', why: 'its threads died 8 times in a row: exit code 3' },
    { engine: 'reference', state: 'active', why: expect.stringMatching(/^plain JavaScript, \d/) },
  ])
})

test('where only the card was asked for, one thread is all there is', async () => {
  await using pool = await ColourPool.open({ threads: 3, duty: 1, niceness: 10, worker, engine: 'card' })
  expect(pool).toMatchObject({ engine: 'card', threads: 1 })
  expect((await pool.chunkValues('spi64', 5n, 100n, 2, never))[1]).toBe(chunkValue('spi64', 5n, 101n))
})
