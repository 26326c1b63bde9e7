/** Block transfer against a bare Noise + yamux stream, and how soon a node has its first peer. */
import { createHash } from 'node:crypto'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { parseAddress } from '../packages/mesh/src/address.ts'
import { createIdentity, type Mesh, openIdentity, openMesh } from '../packages/mesh/src/index.ts'
import { createNode, type MeshNode } from '../packages/mesh/src/node.ts'
import { Holder } from '../packages/mesh/src/testing/items.ts'
import { type Bench, type BenchRow, medians } from './bench.ts'
import { BARE_PROTOCOL, type PeerReady, type PeerSetting } from './mesh/peer.ts'

const BYTES = 64 * 1024 * 1024
const ROUNDS = 3
const never = new AbortController().signal
const meshKey = new Uint8Array(32).fill(7)
const meshId = 'be'.repeat(32)

/** Takes pieces of a transfer. */
type Sink = (piece: Uint8Array) => Promise<void>

export const bench: Bench = {
  name: 'mesh',
  async run() {
    const setting: PeerSetting = { meshKey, meshId, bytes: BYTES }
    const worker = new Worker(new URL('mesh/peer.ts', import.meta.url), { workerData: setting })
    try {
      const ready = await new Promise<PeerReady>((resolve, reject) => {
        worker.once('message', resolve)
        worker.once('error', reject)
      })
      return [...(await transfers(ready)), await firstPeer(ready)]
    } finally {
      await worker.terminate()
    }
  },
}

async function transfers(ready: PeerReady): Promise<BenchRow[]> {
  const dir = await mkdtemp(join(tmpdir(), 'sgsd-bench-'))
  const mesh = await node(ready.mesh)
  const bare = await createNode({
    identity: openIdentity(await createIdentity()),
    meshKey,
    watch: { metSelf: () => undefined },
    listen: [],
    topics: [],
    gater: {},
  })
  try {
    const server = await joined(mesh)
    await bare.start()
    const block = (sink: Sink): Promise<void> => mesh.fetchBlock(server, ready.block as never, { have: 0, write: sink }, never)
    const discard: Sink = async () => undefined
    const rates = await medians(
      {
        bare: () => rate(() => readBare(bare, ready.bare, discard)),
        block: () => rate(() => block(discard)),
        bareKept: () => rate(() => hashedAndWritten(dir, (sink) => readBare(bare, ready.bare, sink))),
        blockKept: () => rate(() => hashedAndWritten(dir, block)),
      },
      ROUNDS,
    )
    const row = (name: string, value: number, against: number, note: string): BenchRow => ({
      bench: 'mesh',
      case: name,
      value,
      unit: 'MB/s',
      ratio: value / against,
      note,
    })
    return [
      { bench: 'mesh', case: 'bare stream', value: rates.bare, unit: 'MB/s', note: 'Noise + yamux, 64 MiB, two threads, the receiver only counts' },
      row('block', rates.block, rates.bare, 'against the bare stream'),
      row('bare stream, hashed and written', rates.bareKept, rates.bare, 'against the bare stream'),
      row('block, hashed and written', rates.blockKept, rates.bareKept, 'against the bare stream, hashed and written; the budget is 0.8'),
    ]
  } finally {
    await mesh.close()
    await bare.stop()
    await rm(dir, { recursive: true, force: true })
  }
}

async function firstPeer(ready: PeerReady): Promise<BenchRow> {
  const { ms } = await medians(
    {
      async ms() {
        const startedAt = performance.now()
        const mesh = await node(ready.mesh)
        await joined(mesh)
        const took = performance.now() - startedAt
        await mesh.close()
        return took
      },
    },
    5,
  )
  return { bench: 'mesh', case: 'start to first peer', value: ms, unit: 'ms', note: 'one bootstrap address, loopback, gossip included' }
}

async function node(bootstrap: string): Promise<Mesh> {
  const identity = openIdentity(await createIdentity())
  return await openMesh({
    identity,
    meshId: meshId as never,
    meshKey,
    listen: ['/ip4/127.0.0.1/tcp/0'],
    bootstrap: [bootstrap],
    mdns: false,
    tailscale: false,
    handlers: new Holder(),
  })
}

function joined(mesh: Mesh): Promise<Mesh['self']> {
  return new Promise((resolve) => mesh.on('peer:connected', ({ peer }) => resolve(peer)))
}

async function readBare(node: MeshNode, addr: string, sink: Sink): Promise<void> {
  const stream = await node.dialProtocol(parseAddress(addr).multiaddr, BARE_PROTOCOL)
  let bytes = 0
  for await (const pieces of stream) {
    bytes += pieces.byteLength
    if (pieces instanceof Uint8Array) await sink(pieces)
    else for (const piece of pieces) await sink(piece)
  }
  await stream.close()
  if (bytes !== BYTES) throw new Error(`the bare stream brought ${bytes} bytes`)
}

async function hashedAndWritten(dir: string, transfer: (sink: Sink) => Promise<void>): Promise<void> {
  const file = await open(join(dir, 'block'), 'w')
  const hash = createHash('sha256')
  try {
    await transfer(async (piece) => {
      hash.update(piece)
      await file.write(piece)
    })
  } finally {
    await file.close()
  }
}

/** @returns MB (10^6 bytes) per second */
async function rate(transfer: () => Promise<void>): Promise<number> {
  const startedAt = performance.now()
  await transfer()
  return BYTES / 1_000 / (performance.now() - startedAt)
}
