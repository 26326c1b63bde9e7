import type { LatticeCompute } from '@sgsd/compute'
import { type MeshState, type PeerName, revokedPeers, shards } from '@sgsd/consensus'
import type { Mesh } from '@sgsd/mesh'
import type { Logger } from 'pino'
import { type Core, monotonicNow } from './core.ts'

/** A peer that has just been revoked is talked to for so long still, milliseconds, that it hears of it; the gate is 10 s on every member. */
const PARTING_MS = 2_000

type MeshEdge = Pick<Mesh, 'setMembers' | 'setRefused'>

/** Tells the edges what follows from the roster: whom to dial, whom to refuse, and which radicals this node may write. */
export class RosterWatch {
  readonly #core: Core
  readonly #mesh: MeshEdge
  readonly #lattice: LatticeCompute
  readonly #log: Logger
  #roster: MeshState['roster'] | undefined
  #exclusions: MeshState['exclusions'] | undefined
  #revoked: ReadonlySet<PeerName> = new Set()
  #parting: NodeJS.Timeout | undefined
  #owned = ''

  constructor(core: Core, mesh: MeshEdge, lattice: LatticeCompute, log: Logger) {
    this.#core = core
    this.#mesh = mesh
    this.#lattice = lattice
    this.#log = log
  }

  /** Cheap when roster and exclusions are the same objects as before. */
  changed(): void {
    const { state } = this.#core
    if (state.roster === this.#roster && state.exclusions === this.#exclusions) return
    this.#roster = state.roster
    this.#exclusions = state.exclusions
    const revoked = new Set(revokedPeers(state).keys())
    this.#refuse(revoked)
    this.#mesh.setMembers(
      [...state.roster.values()]
        .filter(({ value }) => value.author !== state.self && !value.left && !revoked.has(value.author))
        .map(({ value }) => ({ peer: value.author, addrs: value.addrs })),
    )
    const owned = shards(state, monotonicNow(), this.#lattice.info().radicalRows).get(state.self) ?? []
    const key = owned.join(' ')
    if (key === this.#owned) return
    this.#owned = key
    this.#log.info({ radicals: owned.length }, 'radical shard changed')
    void this.#lattice.setOwned(owned).catch((error: Error) => this.#log.error({ error: error.message }, 'cannot set the radical shard'))
  }

  /** Who was readmitted is welcome at once; who was revoked has a moment left. This node itself it never refuses: the others do. */
  #refuse(revoked: Set<PeerName>): void {
    revoked.delete(this.#core.state.self)
    const news = [...revoked].filter((peer) => !this.#revoked.has(peer))
    if (news.length === 0 && revoked.size === this.#revoked.size) return
    this.#revoked = revoked
    for (const peer of news) this.#log.warn({ peer }, 'a member was revoked; it is talked to no more')
    clearTimeout(this.#parting)
    this.#mesh.setRefused(new Set([...revoked].filter((peer) => !news.includes(peer))))
    if (news.length > 0) this.#parting = setTimeout(() => this.#mesh.setRefused(revoked), PARTING_MS).unref()
  }
}
