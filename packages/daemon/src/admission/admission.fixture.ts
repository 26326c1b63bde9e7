import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ColourCompute, LatticeCompute } from '@sgsd/compute'
import { type MemberRecord, type PeerName } from '@sgsd/consensus'
import { type Mesh, openMesh, verifySignature } from '@sgsd/mesh'
import { openStore } from '@sgsd/store'
import { formatInvite } from '@sgsd/wire'
import { Core } from '../core.ts'
import { EventBus } from '../event-bus.ts'
import { meshHandlers } from '../gossip.ts'
import { openLog } from '../log.ts'
import { SyncLoop } from '../loops/sync.ts'
import { initDataDir, joinMesh, readCredentials } from '../membership.ts'
import { RosterWatch } from '../roster-watch.ts'
import { ProbeDesk } from './probe-desk.ts'
import { Voter } from './voter.ts'

const LOOPBACK = { listen: ['/ip4/127.0.0.1/tcp/0'] }

export type Chunks = Pick<ColourCompute, 'chunkValues'>

/** As much of a daemon as membership needs: state, disk, real sockets, sync, votes. No lattice, no mining. */
export interface TestNode {
  readonly name: string
  readonly peer: PeerName
  readonly core: Core
  readonly mesh: Mesh
  /** The line with the mesh key. */
  readonly invite: string
  close(): Promise<void>
}

export interface TestNodeOptions {
  readonly root: string
  readonly name: string
  /** Computes probes, its own and those of others. */
  readonly colours: Chunks
  /** Of a member; absent: it founds a mesh. */
  readonly invite?: string
  readonly vote?: boolean
}

export async function startTestNode({ root, name, colours, invite, vote = false }: TestNodeOptions): Promise<TestNode> {
  const dir = join(root, name)
  await mkdir(dir, { recursive: true })
  if (invite === undefined) await initDataDir(dir, { name, vote, epochColours: 1n << 24n, ...LOOPBACK })
  else await joinMesh(dir, invite, { name, ...LOOPBACK })
  const stopping = new AbortController()
  const { signal } = stopping
  const credentials = await readCredentials(dir)
  const store = await openStore(dir)
  const log = openLog('fatal', true)
  const core = new Core(credentials, store.items, verifySignature, log, new EventBus())
  core.load()
  const desk = new ProbeDesk(core, colours)
  const mesh = await openMesh({
    identity: credentials.identity,
    meshId: credentials.meshId,
    meshKey: credentials.meshKey,
    ...LOOPBACK,
    bootstrap: invite === undefined ? [] : [invite.split('#')[0]!],
    mdns: false,
    tailscale: false,
    handlers: { ...meshHandlers(core, store), onProbe: desk.answer.bind(desk) },
  })
  const sync = new SyncLoop(mesh, log, signal, Math.random)
  const lattice = { info: () => ({ radicalRows: [] }), setOwned: async () => {} } as unknown as LatticeCompute
  const watch = new RosterWatch(core, mesh, lattice, log)
  core.onChange = () => watch.changed()
  core.connect({
    publish: (topic, bytes) => void mesh.publish(topic, bytes).catch(() => undefined),
    fetchLayer: () => {},
    fetchLeaves: () => {},
    checkProof: () => {},
    compareLeaves: () => {},
    fold: () => {},
    epochClosed: () => {},
    forgotten: () => {},
  })
  mesh.on('peer:connected', ({ peer }) => void sync.connected(peer))
  core.author({ kind: 'record', value: recordOf(credentials.identity.peer, name, mesh) })
  const loops = [sync.run(), new Voter({ core, mesh, colours, log }, signal).run()]
  return {
    name,
    peer: credentials.identity.peer,
    core,
    mesh,
    invite: formatInvite(mesh.multiaddrs()[0]!, credentials.meshKey),
    async close() {
      stopping.abort()
      await Promise.all(loops)
      await mesh.close()
      core.flush()
      await store.close()
    },
  }
}

/** Waits until it is so. @returns how long it took, milliseconds */
export async function until(isSo: () => boolean, withinMs: number): Promise<number> {
  const startedAt = performance.now()
  const patience = AbortSignal.timeout(withinMs)
  while (!isSo()) {
    if (patience.aborted) throw new Error(`not so within ${withinMs} ms: ${isSo.toString()}`)
    await Promise.race([sleep(20), once(patience, 'abort')])
  }
  return performance.now() - startedAt
}

export const isLinked = (a: TestNode, b: TestNode): boolean => a.mesh.links().some(({ peer }) => peer === b.peer)

function recordOf(author: PeerName, hostName: string, mesh: Mesh): MemberRecord {
  return {
    author,
    seq: 1n,
    software: '0.1.0',
    hostName,
    cores: 1,
    memoryBytes: 1n << 30n,
    colourRate: 1n,
    rowRate: 1n,
    colourEngine: 'wasm',
    providers: [],
    addrs: mesh.multiaddrs().map((address) => address.replace(/\/p2p\/.*$/, '')),
    joinedEpoch: 0n,
    left: false,
  }
}
