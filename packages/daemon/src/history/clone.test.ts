import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BlockId, LayerId, MeshId, PeerName } from '@sgsd/consensus'
import { MeshError } from '@sgsd/mesh'
import { type BlockStore, openMemoryStore, openStore } from '@sgsd/store'
import { encodeLineage, encodeManifest } from '@sgsd/wire'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { BlockFetcher } from '../block-fetcher.ts'
import type { Core } from '../core.ts'
import { type CloneParts, type CloneStep, cloneLayer } from './clone.ts'

const MESH = 'aa'.repeat(32) as MeshId
const AUTHOR = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5' as PeerName
const RADICALS = 40
/** Compressed bytes after which the connection breaks: in the midst of a block. */
const BREAKS = [30_000, 90_000, 200_000]

let root: string

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'sgsd-clone-'))
})

afterEach(async () => {
  await rm(root, { recursive: true, force: true })
})

/** Bytes that do not compress. @param length - a multiple of 32 */
function noise(seed: number, length: number): Uint8Array {
  const parts = Array.from({ length: length / 32 }, (_, i) => createHash('sha256').update(`${seed}/${i}`).digest())
  return Buffer.concat(parts)
}

/** A member's store with one layer of many blocks. */
async function authored(): Promise<{ readonly blocks: BlockStore; readonly layer: LayerId; readonly total: number }> {
  const { blocks } = await openMemoryStore()
  const ids: BlockId[] = []
  for (let i = 0; i < RADICALS; i++) ids.push(await blocks.put(noise(i, 8_000)))
  const layer = await blocks.put(
    encodeManifest({
      version: 1,
      mesh: MESH,
      kernel: 'bb'.repeat(32),
      parents: [],
      author: AUTHOR,
      seq: 1n,
      epoch: 0n,
      params: { profile: 'stable', rule: 'evidence', eta: 0, decay: 0 },
      lineage: await blocks.put(encodeLineage([])),
      scores: { lines: 1n, mean: 0 },
      state: await blocks.put(noise(99, 4_000)),
      blocks: ids.map((block, i) => ({ radical: i + 1, rows: 1, nnz: 1, block })),
    }),
  )
  return { blocks, layer, total: RADICALS + 3 }
}

function coreOf(meshId: string = MESH, foldId = 'evidence/1'): Core {
  return { meshId, state: { genesis: { foldId }, roster: new Map(), heads: new Map() } } as unknown as Core
}

/** A node on a data directory, linked to the author until `left` bytes have come. */
async function cloning(
  theirs: BlockStore,
  left: number,
): Promise<{ parts: CloneParts; blocks: BlockStore; sent: () => number; close: () => Promise<void>; kept: LayerId[] }> {
  const store = await openStore(root)
  let sent = 0
  const kept: LayerId[] = []
  const mesh = {
    dial: () => Promise.reject(new Error('nobody is dialled')),
    links: () =>
      sent < left ? [{ peer: AUTHOR, remoteAddr: '/ip4/127.0.0.1', via: 'loopback' as const, direction: 'outbound' as const, rttMs: 1 }] : [],
    async fetchBlock(_peer: PeerName, id: BlockId, target: { readonly have: number; write(piece: Uint8Array): Promise<void> }): Promise<void> {
      const found = await theirs.read(id, target.have)
      if (found === undefined) throw new MeshError('BLOCK_NOT_FOUND', { id } as never)
      for await (const piece of found.body) {
        const room = left - sent
        if (room <= 0) throw new Error('the connection broke')
        // counted before it is written: other blocks are on the way too
        sent += Math.min(piece.length, room)
        await target.write(piece.subarray(0, room))
        if (piece.length > room) throw new Error('the connection broke')
      }
    },
  }
  const fetcher = new BlockFetcher(store.blocks, mesh, pino({ level: 'silent' }), new AbortController().signal)
  return {
    parts: { core: coreOf(), mesh, blocks: store.blocks, fetcher, keep: (layer) => kept.push(layer) },
    blocks: store.blocks,
    sent: () => sent,
    close: () => store.close(),
    kept,
  }
}

async function run(parts: CloneParts, layer: LayerId): Promise<CloneStep[]> {
  const steps: CloneStep[] = []
  for await (const step of cloneLayer(parts, AUTHOR, layer, new AbortController().signal)) steps.push(step)
  return steps
}

test('a clone that breaks off goes on where it ended, in the midst of a block too: no byte comes twice', async () => {
  const theirs = await authored()
  let bytes = 0
  for (const left of BREAKS) {
    const node = await cloning(theirs.blocks, left)
    await expect(run(node.parts, theirs.layer)).rejects.toMatchObject({ code: 'BLOCK_UNAVAILABLE', hint: expect.stringMatching(/same command/) })
    expect(node.kept).toEqual([theirs.layer])
    bytes += node.sent()
    await node.close()
  }
  const last = await cloning(theirs.blocks, Infinity)
  const steps = await run(last.parts, theirs.layer)
  bytes += last.sent()
  const whole = steps.at(-1)
  expect(whole).toMatchObject({ event: 'cloned', cloned: { blocks: theirs.total, layer: theirs.layer } })
  expect(whole?.event === 'cloned' ? whole.cloned.had : 0).toBeGreaterThan(20)
  expect(steps.findLast(({ event }) => event === 'progress')).toEqual({ event: 'progress', done: theirs.total, total: theirs.total })
  const { bytes: stored } = await last.blocks.usage()
  expect(bytes).toBe(stored)
  await last.close()
})

test('a second clone fetches nothing', async () => {
  const theirs = await authored()
  const first = await cloning(theirs.blocks, Infinity)
  await run(first.parts, theirs.layer)
  await first.close()
  const second = await cloning(theirs.blocks, Infinity)
  expect((await run(second.parts, theirs.layer)).at(-1)).toMatchObject({ cloned: { had: theirs.total } })
  expect(second.sent()).toBe(0)
  await second.close()
})

test('a layer of another mesh or of another rule is refused before its rows are fetched', async () => {
  const theirs = await authored()
  const node = await cloning(theirs.blocks, Infinity)
  const other = { ...node.parts, core: coreOf('cc'.repeat(32)) }
  await expect(run(other, theirs.layer)).rejects.toMatchObject({ code: 'LAYER_REFUSED' })
  const mean = { ...node.parts, core: coreOf(MESH, 'mean/1') }
  await expect(run(mean, theirs.layer)).rejects.toMatchObject({ code: 'LAYER_REFUSED' })
  expect(node.kept).toEqual([])
  await node.close()
})
