import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import type { BlockId } from '../packages/consensus/src/index.ts'
import { openStore } from '../packages/store/src/index.ts'
import { canTrace, examine, type Life, life, start, traced, WHOLE } from './store-life.ts'

const KILLS = Number(process.env['SGSD_KILLS'] ?? 200)
const SEED = Number(process.env['SGSD_SEED'] ?? Date.now() % 1_000_000)
/** Data directories whose processes are killed side by side, to use the time in which processes start. */
const LANES = 4
/** Longest life after the first acknowledgement, ms: a few layers. */
const MAX_LIFE_MS = 60
/** Layers after which a process ends by itself, if it was to die at a call that it never makes. */
const MOST_LAYERS = 12
/** Calls at which a process is killed, where strace can do that; `?`: not every machine has each of them. */
const SYSCALLS = ['fsync', 'fdatasync', 'pwrite64', '?rename,?renameat,?renameat2', '?unlink,?unlinkat', 'openat'] as const
/** The last call of one kind that may be chosen; a starting process makes more of `openat` before it is ours. */
const MOST_CALLS = 60
const FIRST_OPEN = 60

const root = mkdtempSync(join(tmpdir(), 'sgsd-kills-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const how = canTrace ? 'one in four at a chosen system call' : 'all at random: there is no strace here'
test(`${KILLS} deaths (${how}), seed ${SEED}`, { timeout: 60_000 + 1_500 * KILLS }, async () => {
  const chance = random(SEED)
  const deaths = { random: 0, chosen: 0 }
  const lanes = Array.from({ length: LANES }, async (_, lane) => {
    const dir = join(root, `lane-${lane}`)
    for (let round = 0, dead = lane; dead < KILLS; round++) {
      const call = canTrace && round % 4 === 0 ? SYSCALLS[(round / 4) % SYSCALLS.length] : undefined
      const { last, end } = call === undefined ? await killAfter(dir, chance() * MAX_LIFE_MS) : await killAt(dir, call, chance())
      expect(await examine(dir, last)).toEqual(WHOLE)
      if (end !== 'killed') continue
      deaths[call === undefined ? 'random' : 'chosen'] += 1
      dead += LANES
    }
  })
  await Promise.all(lanes)
  expect(deaths.random + deaths.chosen).toBeGreaterThanOrEqual(KILLS)
  expect(deaths.chosen > 0).toBe(canTrace)
})

test('the examination sees a lost head and a torn layer', async () => {
  const dir = join(root, 'control')
  expect(await life(start(dir, [], 5))).toEqual({ last: 5, end: 'done' })
  expect(await examine(dir, 6)).toMatchObject({ headsLost: true })
  {
    await using store = await openStore(dir)
    const newest = [...store.items.items()].at(-1)
    const { content } = JSON.parse(Buffer.from((await store.blocks.get(newest?.id as string as BlockId))!).toString()) as { content: BlockId[] }
    await store.blocks.delete(content[0]!)
  }
  expect(await examine(dir, 5)).toMatchObject({ headsLost: false, torn: [5] })
})

/** The process is killed so long after its first word. */
async function killAfter(dir: string, ms: number): Promise<Life> {
  const child = start(dir, [], Infinity)
  void once(child.stdout!, 'data').then(() => delay(ms).then(() => child.kill('SIGKILL')))
  return life(child)
}

/** The process is killed as it makes a call for the n-th time. @param chance - in [0, 1) */
async function killAt(dir: string, calls: string, chance: number): Promise<Life> {
  const when = 1 + Math.floor(chance * MOST_CALLS) + (calls === 'openat' ? FIRST_OPEN : 0)
  return life(start(dir, traced(calls, `signal=SIGKILL:when=${when}`), MOST_LAYERS))
}

/** Mulberry32: uniform in [0, 1). */
function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let z = Math.imul(state ^ (state >>> 15), state | 1)
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61)
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32
  }
}
