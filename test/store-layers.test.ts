import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { CommitDraft } from '../packages/compute/src/index.ts'
import type { BlockId, LayerId, MeshState } from '../packages/consensus/src/index.ts'
import { storeLayer } from '../packages/daemon/src/farm/store-layer.ts'
import { openStore } from '../packages/store/src/index.ts'
import { layerIdOf, parseManifest } from '../packages/wire/src/index.ts'

const SELF = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5'
/** Kangxi radicals. */
const RADICALS = 214

const root = mkdtempSync(join(tmpdir(), 'sgsd-layers-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

/** All of a member's rows, of which those of some radicals are `version`'s and the others as ever. */
function draftOf(version: number, changed: readonly number[]): CommitDraft {
  const radicals = Array.from({ length: RADICALS }, (_, i) => {
    const bytes = new Uint8Array(400).fill(i + 1)
    if (changed.includes(i + 1)) bytes.set([version], 7)
    return { radical: i + 1, rows: 1, nnz: 1, bytes }
  })
  return { radicals, state: new Uint8Array(64).fill(version), lines: 64 * version, meanScore: 0.1 }
}

test('a commit that touches three radicals writes three blocks of rows, and one manifest, state and lineage; the rest is shared', async () => {
  await using store = await openStore(join(root, 'data'))
  const heads = new Map<string, { value: { layer: LayerId; seq: bigint } }>()
  const state = { self: SELF, epoch: 0n, heads, genesis: { latticeKernel: '22'.repeat(32), foldId: 'mean/1' } } as unknown as MeshState
  const core = { state, meshId: '11'.repeat(32) as MeshState['meshId'] }
  const commit = async (version: number, changed: readonly number[]): Promise<readonly BlockId[]> => {
    const before = new Set(store.blocks.list())
    const lineage = [{ text: 'poems', segment: '33'.repeat(32), first: 0, from: version, to: version + 1 }]
    const { layer, manifest } = await storeLayer(core, store.blocks, draftOf(version, changed), lineage)
    heads.set(SELF, { value: { layer, seq: manifest.seq } })
    return [...store.blocks.list()].filter((id) => !before.has(id))
  }
  expect(await commit(1, [])).toHaveLength(RADICALS + 3)
  const first = heads.get(SELF)!.value.layer
  const written = await commit(2, [9, 85, 140])
  expect(written).toHaveLength(3 + 3)

  const read = async (layer: LayerId): Promise<Extract<ReturnType<typeof parseManifest>, { type: 'accept' }>['value']> => {
    const bytes = (await store.blocks.get(layer))!
    expect(layerIdOf(bytes)).toBe(layer)
    const manifest = parseManifest(bytes)
    if (manifest.type !== 'accept') throw new Error(manifest.reason)
    return manifest.value
  }
  const [old, now] = [await read(first), await read(heads.get(SELF)!.value.layer)]
  expect(now).toMatchObject({ parents: [first], seq: 2n })
  const differ = now.blocks.filter(({ block }, i) => block !== old.blocks[i]!.block)
  expect(differ.map(({ radical }) => radical)).toEqual([9, 85, 140])
  const named = [...differ.map(({ block }) => block), now.state, now.lineage, heads.get(SELF)!.value.layer]
  expect([...written].sort()).toEqual(named.sort())
  // Rows that become again what they were are here already.
  expect(await commit(3, [])).toHaveLength(3)
})
