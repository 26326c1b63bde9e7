import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { itemKey } from '@sgsd/consensus'
import { openStore, type Store } from '@sgsd/store'
import { signItem } from '@sgsd/wire'
import { afterAll, expect, test } from 'vitest'
import { ConsensusLog } from '../history/consensus-log.ts'
import { initDataDir, readCredentials } from '../membership.ts'
import { openOfflineStore } from './offline.ts'
import { Pins } from './pins.ts'
import { headOf, type MadeLayer, makeChain } from './store-care.fixture.ts'

const root = mkdtempSync(join(tmpdir(), 'sgsd-offline-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

/** A node that made five layers; its first is on record as a consensus, its second pinned. It does not run. */
async function nodeWithHistory(dir: string): Promise<readonly MadeLayer[]> {
  await initDataDir(dir, { name: 'node', config: { mdns: false } })
  const { identity, meshId } = await readCredentials(dir)
  await using store = await openStore(dir)
  const chain = await makeChain(store.blocks, 5, identity.peer)
  const head = signItem({ kind: 'head', value: headOf(chain[4]!).value }, meshId, identity.sign)
  store.items.put({ kind: head.kind, key: itemKey(head), id: head.id, bytes: head.bytes })
  const [first, second] = chain as [MadeLayer, MadeLayer]
  const heads = [{ author: identity.peer, seq: 1n, layer: first.layer, weight: 1 }]
  new ConsensusLog(store.items, 8).append({ id: 'aa'.repeat(32), digest: 'bb'.repeat(32), epoch: 0n, at: 0, heads })
  new Pins(store.items).pin({ layer: second.layer, author: identity.peer, note: '' })
  return chain
}

function wholeIn({ blocks }: Pick<Store, 'blocks'>, { layer, state, lineage, rows }: MadeLayer): boolean {
  return [layer, state, lineage, ...rows].every((id) => blocks.has(id))
}

test('without a daemon the same is kept: heads, what is pinned, what consensuses on record were folded from', async () => {
  const dir = join(root, 'kept')
  const chain = await nodeWithHistory(dir)
  {
    await using offline = await openOfflineStore(dir)
    await expect(openOfflineStore(dir)).rejects.toMatchObject({ code: 'ALREADY_RUNNING' })
    const report = await offline.care.collect({ graceMs: 0 })
    // Of the third layer go its state and the rows that are its alone.
    expect(report).toMatchObject({ by: 'command', held: '', freed: { blocks: 2 } })
  }
  await using store = await openStore(dir)
  expect(chain.map((layer) => wholeIn(store, layer))).toEqual([true, true, false, true, true])
  expect(store.blocks.has(chain[2]!.layer)).toBe(true)
})

test('without a daemon a damaged block is set aside, and said to come later', async () => {
  const dir = join(root, 'damaged')
  const [, , , , newest] = (await nodeWithHistory(dir)) as [MadeLayer, MadeLayer, MadeLayer, MadeLayer, MadeLayer]
  writeFileSync(join(dir, 'blocks', newest.state.slice(0, 2), `${newest.state}.zst`), 'damaged')
  await using offline = await openOfflineStore(dir)
  expect((await offline.care.scrub()).damaged).toEqual([{ id: newest.state, kind: 'state', repair: 'later' }])
  expect(await offline.care.usage()).toMatchObject({ by: 'command', missing: 1, layers: { pinned: 1 } })
})

test('a folder that is no node, and one that belongs to no mesh', async () => {
  await expect(openOfflineStore(join(root, 'nothing'))).rejects.toMatchObject({ code: 'NOT_INITIALISED' })
})
