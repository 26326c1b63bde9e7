import { type Head, initialState, type Item, type MemberRecord, type MeshId, type PeerName, type SignedItem, step } from '@sgsd/consensus'
import { encodeLayerBundle } from '@sgsd/interop'
import { createIdentity, openIdentity, verifySignature } from '@sgsd/mesh'
import { openMemoryStore } from '@sgsd/store'
import { blockIdOf, encodeLineage, encodeManifest, encodeStateBlock, layerIdOf, signItem } from '@sgsd/wire'
import { beforeAll, expect, test } from 'vitest'
import type { Core } from '../core.ts'
import type { DaemonParts } from '../parts.ts'
import { takeLayer } from './take-layer.ts'
import { voucherOf } from './voucher.ts'

const MESH = 'aa'.repeat(32) as MeshId
const KERNEL = 'bb'.repeat(32)
const KEY = new Uint8Array(32).fill(7)
const NOTHING = new Uint8Array(0)
const signal = new AbortController().signal
const GENESIS = {
  version: 1,
  name: 'oak',
  colourSeed: 1n,
  colourKernel: 'spi64',
  epochColours: 2n ** 20n,
  latticeKernel: KERNEL,
  foldId: 'mean/1',
  admission: 'key',
  nonce: '00'.repeat(16),
} as const

type Identity = ReturnType<typeof openIdentity>
let alice: Identity
let bob: Identity

beforeAll(async () => {
  ;[alice, bob] = [openIdentity(await createIdentity()), openIdentity(await createIdentity())]
})

/** A node whose state machine is the real one, and whose lattice takes, or refuses, every layer at once. */
async function node(self: PeerName, meshKey: Uint8Array | undefined, refusal?: string): Promise<Pick<DaemonParts, 'core' | 'credentials' | 'store'>> {
  const store = await openMemoryStore()
  let state = initialState(GENESIS, MESH, self)
  const core: Pick<Core, 'state' | 'meshId' | 'verifyContext' | 'handle'> = {
    get state() {
      return state
    },
    meshId: MESH,
    verifyContext: { meshId: MESH, verify: verifySignature },
    handle: (input) => {
      const next = step(state, input)
      state = next.state
      for (const effect of next.effects) {
        if (effect.type !== 'fetch-layer') continue
        expect(store.blocks.has(effect.head.value.layer)).toBe(true)
        const { head } = effect
        setTimeout(() => {
          core.handle(refusal === undefined ? { type: 'layer-ready', head } : { type: 'layer-refused', head, reason: refusal })
        }, 1)
      }
    },
  }
  const credentials = meshKey === undefined ? {} : { meshKey }
  return { core: core as Core, credentials: credentials as DaemonParts['credentials'], store }
}

interface Change {
  readonly seq?: bigint
  readonly mesh?: MeshId
  readonly kernel?: string
  /** Signs instead of Alice. */
  readonly signer?: Identity
  readonly headSeq?: bigint
  readonly voucher?: Uint8Array
  readonly bare?: boolean
}

/** A portable layer of Alice's. */
function layer({ seq = 1n, mesh = MESH, kernel = KERNEL, signer = alice, headSeq = seq, voucher, bare = false }: Change = {}): Uint8Array {
  const lineage = encodeLineage([])
  const state = encodeStateBlock(new Float32Array(4))
  const manifest = encodeManifest({
    version: 1,
    mesh,
    kernel,
    parents: [],
    author: alice.peer,
    seq,
    epoch: 0n,
    params: { profile: 'stable', rule: 'hebb', eta: 0.5, decay: 0 },
    lineage: blockIdOf(lineage),
    scores: { lines: 0n, mean: 0 },
    state: blockIdOf(state),
    blocks: [],
  })
  const signed = (item: Item): SignedItem => signItem(item, mesh, signer.sign)
  const announced: Head = { author: alice.peer, seq: headSeq, layer: layerIdOf(manifest), radicals: [] }
  const about: MemberRecord = {
    author: alice.peer,
    seq: 1n,
    software: '0.1.0',
    hostName: 'atlas',
    cores: 1,
    memoryBytes: 1n,
    colourRate: 1n,
    rowRate: 1n,
    colourEngine: 'wasm',
    providers: [],
    addrs: [],
    joinedEpoch: 0n,
    left: false,
  }
  const head = bare ? NOTHING : signed({ kind: 'head', value: announced }).bytes
  const record = bare ? NOTHING : signed({ kind: 'record', value: about }).bytes
  return encodeLayerBundle({ head, record, voucher: voucher ?? voucherOf(KEY, head, record), manifest, lineage, state, blocks: [] })
}

test('a member that was never met is taken in with its layer, where the voucher is of the mesh’s key; then it is known, or older', async () => {
  const bobs = await node(bob.peer, KEY)
  expect(await takeLayer(bobs, layer(), signal)).toMatchObject({ result: 'ready', author: alice.peer, seq: '1' })
  expect([bobs.core.state.roster.has(alice.peer), bobs.core.state.ready.size]).toEqual([true, 1])
  expect(await takeLayer(bobs, layer(), signal)).toMatchObject({ result: 'known' })
  expect(await takeLayer(bobs, layer({ seq: 2n }), signal)).toMatchObject({ result: 'ready', seq: '2' })
  expect(await takeLayer(bobs, layer(), signal)).toMatchObject({ result: 'older' })
  // known by now: nobody needs to vouch for her
  expect(await takeLayer(bobs, layer({ seq: 3n, voucher: NOTHING }), signal)).toMatchObject({ result: 'ready' })
})

test.each([
  ['no voucher', { voucher: new Uint8Array(0) }, /nobody who knows the key/],
  ['a voucher of another key', { voucher: new Uint8Array(32) }, /nobody who knows the key/],
  ['another mesh', { mesh: 'cc'.repeat(32) as MeshId }, /it belongs to mesh/],
  ['another hanzi table', { kernel: 'cc'.repeat(32) }, /another hanzi table/],
  ['a head of another seq', { headSeq: 9n }, /its head and its manifest differ/],
] as const)('%s is refused, and leaves nothing', async (_, change, reason) => {
  const bobs = await node(bob.peer, KEY)
  await expect(takeLayer(bobs, layer(change), signal)).rejects.toMatchObject({
    code: 'IMPORT_REFUSED',
    message: expect.stringMatching(reason) as string,
  })
  expect([bobs.core.state.roster.size, bobs.core.state.heads.size, [...bobs.store.blocks.list()]]).toEqual([0, 0, []])
})

test('a signature that is not the author’s is refused', async () => {
  const bobs = await node(bob.peer, KEY)
  await expect(takeLayer(bobs, layer({ signer: bob }), signal)).rejects.toMatchObject({ message: expect.stringContaining('signature') as string })
  expect([...bobs.store.blocks.list()]).toEqual([])
})

test('in an open mesh nobody needs a voucher', async () => {
  expect(await takeLayer(await node(bob.peer, undefined), layer({ voucher: NOTHING }), signal)).toMatchObject({ result: 'ready' })
})

test('rows that the lattice refuses are refused with its reason', async () => {
  const bobs = await node(bob.peer, KEY, 'row 3 belongs to radical 1')
  await expect(takeLayer(bobs, layer(), signal)).rejects.toMatchObject({ message: 'the layer is refused: row 3 belongs to radical 1' })
})

test('a layer of this node itself that it has lost is not taken for its head', async () => {
  await expect(takeLayer(await node(alice.peer, KEY), layer(), signal)).rejects.toMatchObject({ code: 'IMPORT_REFUSED' })
})

test('one that is nobody’s head is kept, checked, without a place in the state', async () => {
  const bobs = await node(bob.peer, KEY)
  const { layer: id, result } = await takeLayer(bobs, layer({ bare: true, voucher: NOTHING }), signal)
  expect([result, bobs.store.blocks.has(id as never), bobs.core.state.heads.size]).toEqual(['kept', true, 0])
})
