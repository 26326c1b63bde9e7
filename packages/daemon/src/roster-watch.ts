import type { LatticeCompute } from '@sgsd/compute'
import { type MeshState, shards } from '@sgsd/consensus'
import type { Mesh } from '@sgsd/mesh'
import type { Logger } from 'pino'
import { type Core, monotonicNow } from './core.ts'

/** Tells the edges what follows from the roster: whom to dial, and which radicals this node may write. */
export class RosterWatch {
  readonly #core: Core
  readonly #mesh: Pick<Mesh, 'setMembers'>
  readonly #lattice: LatticeCompute
  readonly #log: Logger
  #roster: MeshState['roster'] | undefined
  #owned = ''

  constructor(core: Core, mesh: Pick<Mesh, 'setMembers'>, lattice: LatticeCompute, log: Logger) {
    this.#core = core
    this.#mesh = mesh
    this.#lattice = lattice
    this.#log = log
  }

  /** Cheap when the roster is the same object as before. */
  changed(): void {
    const { state } = this.#core
    if (state.roster === this.#roster) return
    this.#roster = state.roster
    this.#mesh.setMembers(
      [...state.roster.values()]
        .filter(({ value }) => value.author !== state.self && !value.left)
        .map(({ value }) => ({ peer: value.author, addrs: value.addrs })),
    )
    const owned = shards(state, monotonicNow(), this.#lattice.info().radicalRows).get(state.self) ?? []
    const key = owned.join(' ')
    if (key === this.#owned) return
    this.#owned = key
    this.#log.info({ radicals: owned.length }, 'radical shard changed')
    void this.#lattice.setOwned(owned).catch((error: Error) => this.#log.error({ error: error.message }, 'cannot set the radical shard'))
  }
}
