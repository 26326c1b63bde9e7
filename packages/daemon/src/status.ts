import type { ColourCompute, LatticeCompute } from '@sgsd/compute'
import { type ChunkRun, chunksOfEpoch, LIVE_MS, type MeshState, type Millis, type PeerName, ranges, rosterHash, shards } from '@sgsd/consensus'
import type { DiscoveryReport, Neighbour, PeerLink } from '@sgsd/mesh'
import { standingOf } from './admission/standing.ts'
import type { PeerStatus, StatusDocument } from './control/api.ts'
import type { Consensus } from './loops/merge.ts'

/** What a status is made from, gathered by the daemon at one moment. */
export interface StatusSources {
  readonly state: MeshState
  readonly now: Millis
  readonly node: StatusDocument['node']
  readonly links: readonly PeerLink[]
  readonly discovery: readonly DiscoveryReport[]
  readonly neighbours: readonly Neighbour[]
  readonly consensus: Consensus | undefined
  readonly colours: Pick<ColourCompute, 'engine' | 'engines' | 'threads'>
  readonly mining: { readonly state: 'mining' | 'paused' | 'done'; readonly rate: number }
  readonly trust: StatusDocument['trust']
  readonly lattice: ReturnType<LatticeCompute['info']>
  readonly farm: StatusDocument['lattice']['farm']
  readonly layers: number
  readonly answersFrom: StatusDocument['lattice']['answersFrom']
  readonly api: StatusDocument['api']
  readonly store: StatusDocument['store']
  readonly warnings: StatusDocument['warnings']
}

/** 64-bit numbers as people and JSON read them: `0x` and 16 digits. */
export function hex64(value: bigint): string {
  return `0x${value.toString(16).padStart(16, '0')}`
}

/** One moment of the daemon, as a document. Pure. */
export function statusDocument(sources: StatusSources): StatusDocument {
  const { state, now } = sources
  const chunks = chunksOfEpoch(state.genesis)
  const tally = state.tallies.get(state.epoch)
  const covered = tally?.chunksCovered ?? 0
  const peers = peerStatuses(sources)
  const rateMesh = peers.reduce((sum, peer) => sum + peer.rate, 0)
  const provider = sources.lattice.providers.find((report) => report.state === 'active')?.provider ?? 'none'
  return {
    schema: 'sgsd.status/1',
    node: sources.node,
    mesh: {
      id: state.meshId,
      name: state.genesis.name,
      admission: state.genesis.admission,
      rosterHash: rosterHash(state),
      connected: peers.filter((peer) => !peer.self && peer.link !== 'offline').length,
      members: peers.length,
      agreeing: peers.filter((peer) => peer.agrees === true).length,
      discovery: sources.discovery,
      unauthenticated: sources.neighbours.map(({ address, message, seenAt }) => ({
        address,
        host: message.host,
        kind: message.kind,
        seenMsAgo: Math.max(0, Math.round(now - seenAt)),
      })),
    },
    consensus: {
      id: sources.consensus?.id ?? '',
      digest: sources.consensus?.fold.digest ?? '',
      heads: sources.consensus?.heads ?? 0,
      foldId: state.genesis.foldId,
      changedMsAgo: sources.consensus === undefined ? 0 : Math.round(now - sources.consensus.changedAt),
      rows: sources.consensus?.fold.rows ?? 0,
      edges: sources.consensus?.fold.nnz ?? 0,
    },
    colours: {
      kernel: state.genesis.colourKernel,
      seed: hex64(state.genesis.colourSeed),
      epoch: hex64(state.epoch),
      coverage: covered / chunks,
      chunks,
      chunksCovered: covered,
      xor: hex64(tally?.xor ?? 0n),
      state: sources.mining.state,
      rateHere: Math.round(sources.mining.rate),
      rateMesh,
      etaMs: rateMesh > 0 ? Math.round(((chunks - covered) * 2 ** 20 * 1_000) / rateMesh) : null,
      engine: sources.colours.engine,
      threads: sources.colours.threads,
      engines: sources.colours.engines,
      closed: state.closed.slice(0, 16).map(({ epoch, xor, how }) => ({ epoch: hex64(epoch), xor: hex64(xor), how })),
    },
    lattice: {
      kernel: sources.lattice.kernelId,
      rows: sources.lattice.rows,
      provider,
      providers: sources.lattice.providers,
      folds: sources.lattice.folds,
      farm: sources.farm,
      layers: sources.layers,
      layer: state.heads.get(state.self)?.value.layer ?? '',
      answersFrom: sources.answersFrom,
    },
    api: sources.api,
    store: sources.store,
    trust: sources.trust,
    peers,
    warnings: sources.warnings,
  }
}

function peerStatuses(sources: StatusSources): readonly PeerStatus[] {
  const { state, now, lattice } = sources
  const owned = shards(state, now, lattice.radicalRows)
  const mining = ranges(state, now)
  const links = new Map(sources.links.map((link) => [link.peer, link]))
  const names = [...state.roster.entries()]
    .filter(([peer, record]) => peer === state.self || !record.value.left || links.has(peer))
    .map(([peer]) => peer)
  if (!names.includes(state.self)) names.push(state.self)
  const rank = (peer: PeerName): string => `${peer === state.self ? 0 : 1}${state.roster.get(peer)?.value.hostName ?? ''}${peer}`
  return names
    .sort((a, b) => (rank(a) < rank(b) ? -1 : 1))
    .map((peer) => peerStatus(sources, peer, links.get(peer), owned.get(peer) ?? [], mining.get(peer)))
}

function peerStatus(
  sources: StatusSources,
  peer: PeerName,
  link: PeerLink | undefined,
  radicals: readonly number[],
  range: ChunkRun | undefined,
): PeerStatus {
  const { state, now, consensus, lattice } = sources
  const self = peer === state.self
  const record = state.roster.get(peer)?.value
  const beat = state.beats.get(peer)
  const head = state.heads.get(peer)?.value
  const seen = state.seen.get(peer)
  const rows = radicals.reduce((sum, radical) => sum + (lattice.radicalRows[radical] ?? 0), 0)
  const ownRun = range ?? { start: 0, count: 0 }
  return {
    peerId: peer,
    name: record?.hostName ?? peer.slice(-6),
    self,
    link: self ? 'self' : link === undefined ? 'offline' : `${link.via} ${shortAddress(link.remoteAddr)}`,
    rttMs: link?.rttMs ?? null,
    radicals,
    rowShare: lattice.rows === 0 ? 0 : rows / lattice.rows,
    range: { ...ownRun, done: coveredWithin(state, ownRun) },
    rate: self ? Math.round(sources.mining.rate) : link === undefined ? 0 : Number(beat?.rateNow ?? 0n),
    seenMsAgo: self ? 0 : seen === undefined ? null : Math.max(0, Math.round(now - seen)),
    agrees: agreesWith(state, peer, now, consensus),
    layers: self ? sources.layers : (beat?.layers ?? Number(head?.seq ?? 0n)),
    head: head?.layer ?? '',
    version: record?.software ?? '',
    standing: standingOf(state, peer),
  }
}

/** Does a member's newest beat name our consensus? Null when nothing is known: what one said that has fallen silent since is no news. */
export function agreesWith(
  state: Pick<MeshState, 'self' | 'beats' | 'seen'>,
  peer: PeerName,
  now: Millis,
  consensus: StatusSources['consensus'],
): boolean | null {
  if (peer === state.self) return consensus !== undefined
  const beat = state.beats.get(peer)
  if (beat === undefined || consensus === undefined || now - (state.seen.get(peer) ?? -Infinity) > LIVE_MS) return null
  return beat.consensus === consensus.id && beat.digest === consensus.fold.digest
}

/** Covered chunks of the current epoch inside a run. */
function coveredWithin(state: MeshState, run: ChunkRun): number {
  const end = run.start + run.count
  return (state.tallies.get(state.epoch)?.covered ?? []).reduce(
    (sum, c) => sum + Math.max(0, Math.min(end, c.start + c.count) - Math.max(run.start, c.start)),
    0,
  )
}

/** `/ip4/10.0.0.7/tcp/4001/p2p/…` → `10.0.0.7:4001`. */
export function shortAddress(address: string): string {
  const [, family, host, transport, port] = address.split('/')
  if (host === undefined) return address
  return transport === undefined || port === undefined ? host : family === 'ip6' ? `[${host}]:${port}` : `${host}:${port}`
}
