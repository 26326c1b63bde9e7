import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import type { BlockId } from '@sgsd/consensus'
import { afterAll, expect, test } from 'vitest'

import type { Acknowledgement } from './testing/commit-loop.ts'
import { openStore } from './open-store.ts'
import { runChild } from './testing/run-child.ts'
import { sample, sha256 } from './testing/sample.ts'
import { pack } from './zstd.ts'

const KILLS = Number(process.env['SGSD_KILLS'] ?? 15)
const SEED = Number(process.env['SGSD_SEED'] ?? Date.now() % 1_000_000)
/** Data directories that are killed side by side, to use the time in which processes start. */
const LANES = 3
/** Longest life after the first acknowledgement, ms: a few dozen commits. */
const MAX_LIFE_MS = 80

const root = mkdtempSync(join(tmpdir(), 'sgsd-crash-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

test(`kill -9 during commits: ${KILLS} kills, seed ${SEED}`, { timeout: 60_000 + 1_000 * KILLS }, async () => {
  const chance = random(SEED)
  const results = await Promise.all(
    Array.from({ length: LANES }, async (_, lane) => {
      const dir = join(root, `lane-${lane}`)
      const acknowledged: string[] = []
      for (let kill = lane; kill < KILLS; kill += LANES) {
        const child = runChild('./commit-loop.ts', dir, String(SEED * 1_000 + kill))
        await child.line(0)
        await delay(chance() * MAX_LIFE_MS)
        await child.kill()
        acknowledged.push(...child.lines)
      }
      return { ...(await examine(dir, acknowledged as Acknowledgement[])), acknowledged: acknowledged.length }
    }),
  )
  for (const { lost, halfVisible, leftOver } of results) expect({ lost, halfVisible, leftOver }).toEqual({ lost: [], halfVisible: [], leftOver: [] })
  // Every life acknowledged at least once, most of them often.
  expect(results.reduce((sum, { acknowledged }) => sum + acknowledged, 0)).toBeGreaterThan(2 * KILLS)
})

test('the examination sees a lost block, a lost item and a file that was written in place and cut short', async () => {
  const dir = join(root, 'control')
  const [kept, lost, half] = [sample(1, 9_000), sample(2, 9_000), sample(3, 9_000)]
  const store = await openStore(dir)
  for (const bytes of [kept, lost]) await store.blocks.put(bytes)
  await store.close()
  rmSync(pathOf(dir, sha256(lost)))
  mkdirSync(dirname(pathOf(dir, sha256(half))), { recursive: true })
  await writeFile(pathOf(dir, sha256(half)), (await pack(half)).subarray(0, 1_000))
  const lines: Acknowledgement[] = [`block ${sha256(kept)}`, `block ${sha256(lost)}`, `item 1/1 ${sha256(kept)}`]
  expect(await examine(dir, lines)).toEqual({ lost: lines.slice(1), halfVisible: [sha256(half)], leftOver: [] })
})

test('a file left in tmp is swept when the store opens; one that is not ours in incoming too', async () => {
  const dir = join(root, 'sweep')
  await (await openStore(dir)).close()
  const id = sha256(sample(1, 10))
  await writeFile(join(dir, 'tmp', `${id}.1`), 'half')
  await writeFile(join(dir, 'incoming', 'stranger'), 'x')
  await writeFile(join(dir, 'incoming', `${id}.part`), 'x')
  await (await openStore(dir)).close()
  expect(readdirSync(join(dir, 'tmp'))).toEqual([])
  expect(readdirSync(join(dir, 'incoming'))).toEqual([`${id}.part`])
})

/** What a reopened store says of what was acknowledged before. */
async function examine(dir: string, lines: readonly Acknowledgement[]): Promise<{ lost: string[]; halfVisible: string[]; leftOver: string[] }> {
  await using store = await openStore(dir)
  const { damaged } = await store.blocks.scrub()
  const items = new Map(Array.from(store.items.items(), (item) => [item.key, item]))
  const lost: string[] = []
  for (const line of lines) {
    const [kind, first, second] = line.split(' ')
    if (kind === 'block') {
      if (!store.blocks.has(first as BlockId)) lost.push(line)
    } else if (items.get(first!)?.id !== second || items.get(first!)?.bytes.length !== 50) {
      lost.push(line)
    }
  }
  // An item was only written after its block was acknowledged.
  for (const item of items.values()) if (!store.blocks.has(item.id as string as BlockId)) lost.push(`block ${item.id}`)
  return { lost, halfVisible: [...damaged], leftOver: readdirSync(join(dir, 'tmp')) }
}

function pathOf(dir: string, id: BlockId): string {
  return join(dir, 'blocks', id.slice(0, 2), `${id}.zst`)
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
