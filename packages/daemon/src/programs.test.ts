import { createHash } from 'node:crypto'
import type { ProgramInput, ProgramSlice } from '@sgsd/compute'
import { type BlockId, type LayerId, type LayerManifest, layerParams, type MeshId, type PeerName } from '@sgsd/consensus'
import { encodeManifest, encodeStateBlock } from '@sgsd/wire'
import { beforeEach, describe, expect, test } from 'vitest'
import type { RunLine } from './control/api.ts'
import type { Core } from './core.ts'
import { startRun } from './programs.ts'

const MESH = '5e'.repeat(32) as MeshId
const SELF = '12D3KooWSelf' as PeerName
const NEVER = new AbortController().signal

let blocks: Map<BlockId, Uint8Array>
let heads: Map<PeerName, { value: { layer: LayerId } }>
/** What the lattice was given, and how it was treated. */
let opened: ProgramInput[]
let closed: number[]
let slices: ProgramSlice[]
let folded: number

beforeEach(() => {
  blocks = new Map()
  heads = new Map()
  opened = []
  closed = []
  slices = [{ events: [{ event: 'end', steps: 0, sha256: 'ab', top: [] }], done: true }]
  folded = 1
})

function put(bytes: Uint8Array): BlockId {
  const id = createHash('sha256').update(bytes).digest('hex') as BlockId
  blocks.set(id, bytes)
  return id
}

/** Stores a layer whose state tells it from others. */
function layer(value: number, parents: readonly LayerId[] = [], over: Partial<LayerManifest> = {}): LayerId {
  const manifest: LayerManifest = {
    version: 1,
    mesh: MESH,
    kernel: '70'.repeat(32),
    parents,
    author: '12D3KooWMd8vLwLtUykuFDD3Ppay2BhXtjJnQroWHagHa7bmvRaA' as PeerName,
    seq: BigInt(value),
    epoch: 0n,
    params: layerParams('mean/1'),
    lineage: '00'.repeat(32) as BlockId,
    scores: { lines: 1n, mean: 0.5 },
    state: put(encodeStateBlock(Float32Array.of(value / 100))),
    blocks: [],
    ...over,
  }
  return put(encodeManifest(manifest))
}

function own(id: LayerId): void {
  heads.set(SELF, { value: { layer: id } })
}

const parts = (): Parameters<typeof startRun>[0] => ({
  core: { meshId: MESH, state: { self: SELF, heads } } as unknown as Core,
  merging: { current: { id: 'cd'.repeat(32), heads: folded, fold: { digest: 'ef'.repeat(32) } } } as unknown as Parameters<
    typeof startRun
  >[0]['merging'],
  store: { blocks: { get: (id) => Promise.resolve(blocks.get(id)) } },
  lattice: {
    openProgram: (input) => Promise.resolve(opened.push(input) - 1),
    advanceProgram: () => Promise.resolve(slices.shift()!),
    closeProgram: (id) => Promise.resolve(void closed.push(id)),
  },
})

const program = (...ops: unknown[]): unknown => ({ version: 1, program: ops })

async function run(document: unknown, layer?: string, signal: AbortSignal = NEVER): Promise<RunLine[]> {
  const lines: RunLine[] = []
  for await (const line of await startRun(parts(), { program: document, layer }, signal)) lines.push(line)
  return lines
}

describe('names of layers', () => {
  test('own, parents, a beginning of an id and consensus stand for states, each once', async () => {
    const grandparent = layer(1)
    const parent = layer(2, [grandparent])
    const head = layer(3, [parent])
    own(head)
    const other = layer(4)
    heads.set('12D3KooWOther' as PeerName, { value: { layer: other } })
    const lines = await run(
      program('reset', { load_particles: ['own', { parents: 5 }, other.slice(0, 8), 'consensus', head] }, { load_particles: [{ parents: 1 }] }),
    )
    expect(opened[0]!.particles).toEqual([
      { op: 1, particles: [head, parent, grandparent, other, 'consensus'] },
      { op: 2, particles: [parent] },
    ])
    expect(opened[0]!.states.map((state) => state.layer)).toEqual([head, parent, grandparent, other])
    expect(opened[0]!.states[0]!.state).toEqual(encodeStateBlock(Float32Array.of(0.03)))
    expect(lines).toEqual([
      { event: 'started', schema: 'sgsd.run/1', name: '', profile: 'stable', ops: 3, over: '', consensus: 'cd'.repeat(32), digest: 'ef'.repeat(32) },
      { event: 'end', steps: 0, sha256: 'ab', top: [] },
    ])
    expect(closed).toEqual([0])
  })

  test('--layer is what own means, and its content goes along', async () => {
    const parent = layer(2)
    const past = layer(3, [parent])
    own(layer(4, [past]))
    await run(program({ load_particles: ['own', { parents: 1 }] }), past.slice(0, 10))
    expect(opened[0]!.particles).toEqual([{ op: 0, particles: [past, parent] }])
    expect(opened[0]!.over).toEqual({ layer: past, radicals: [], state: encodeStateBlock(Float32Array.of(0.03)) })
  })

  test.each([
    ['own before the first commit', () => program('reset', { load_particles: ['own'] }), 'LAYER_UNKNOWN', /no layer yet/],
    ['a consensus of nobody', () => ((folded = 0), program('reset', { load_particles: ['consensus'] })), 'LAYER_UNKNOWN', /no layer yet/],
    ['an id that is not here', () => program('reset', { load_particles: ['ab'.repeat(32)] }), 'LAYER_UNKNOWN', /is stored here/],
    ['a beginning of none', () => program('reset', { load_particles: ['abcdef'] }), 'LAYER_UNKNOWN', /begins with abcdef/],
    [
      'a layer of another mesh',
      () => program('reset', { load_particles: [layer(1, [], { mesh: '00'.repeat(32) as MeshId })] }),
      'LAYER_UNKNOWN',
      /is stored here/,
    ],
    ['no ancestor', () => (own(layer(1)), program('reset', { load_particles: [{ parents: 2 }] })), 'LAYER_UNKNOWN', /no ancestor/],
    [
      'a state that is gone',
      () => program('reset', { load_particles: [layer(1, [], { state: '11'.repeat(32) as BlockId })] }),
      'LAYER_INCOMPLETE',
      /not all of its content/,
    ],
  ])('%s: the op is named, and nothing runs', async (_name, make, code, message) => {
    expect(await run(make())).toEqual([{ event: 'failed', index: 1, code, message: expect.stringMatching(message) }])
    expect(opened).toEqual([])
  })

  test('a beginning that two layers share is ambiguous', async () => {
    let first = layer(0)
    const byPrefix = new Map<string, LayerId>()
    let pair: readonly [LayerId, LayerId] | undefined
    // by the birthday bound, 24 bits collide after some 5,000 layers
    for (let value = 1; pair === undefined; value++) {
      const id = layer(value)
      const before = byPrefix.get(id.slice(0, 6))
      if (before !== undefined) pair = [before, id]
      byPrefix.set(id.slice(0, 6), id)
    }
    first = pair[0]
    own(first)
    heads.set('12D3KooWOther' as PeerName, { value: { layer: pair[1] } })
    await expect(run(program('reset'), first.slice(0, 6))).rejects.toMatchObject({ code: 'LAYER_AMBIGUOUS' })
    await expect(run(program('reset'), first)).resolves.toHaveLength(2)
  })
})

test('a document that is no program is refused with its first fault', async () => {
  await expect(run({ version: 1, program: ['sing', 'dance'] })).rejects.toMatchObject({
    code: 'PROGRAM_INVALID',
    message: expect.stringMatching(/^the program: program\[0\]\.?.*there is no op "sing".*\(and 1 more\)$/),
  })
  expect(opened).toEqual([])
})

test('a reader who goes away closes the program; so does a daemon that stops', async () => {
  const op = { event: 'op', index: 0, op: 'reset', sets: ['start'], sha256: '', top: [] } as const
  slices = Array.from({ length: 5 }, () => ({ events: [op], done: false }))
  for await (const line of await startRun(parts(), { program: program('reset'), layer: undefined }, NEVER)) if (line.event === 'op') break
  expect(closed).toEqual([0])
  const lines = await run(program('reset'), undefined, AbortSignal.abort())
  expect(lines.at(-1)).toEqual({ event: 'failed', index: 0, code: 'TOO_LONG', message: 'the daemon stops' })
  expect(closed).toEqual([0, 1])
})
