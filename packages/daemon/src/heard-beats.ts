import type { Beat, MeshState, PeerName } from '@sgsd/consensus'
import type { ItemStore } from '@sgsd/store'

/** Where the newest sequence number of each member's beats stands: JSON, peer id → decimal digits. */
const NAME = 'beats.heard'

/**
 * Which beats an earlier process heard: beats themselves are never stored, and without this one that is replayed after a restart would be a sign of life
 * of somebody who is long gone. docs/protocol.md §4.7
 */
export class HeardBeats {
  readonly #values: Pick<ItemStore, 'getValue' | 'setValue'>
  readonly #before: ReadonlyMap<string, bigint>

  constructor(values: Pick<ItemStore, 'getValue' | 'setValue'>) {
    this.#values = values
    this.#before = read(values.getValue(NAME))
  }

  /** Is a beat no newer than what an earlier process heard of its author? */
  isOld({ author, seq }: Beat): boolean {
    return seq <= (this.#before.get(author) ?? -1n)
  }

  /** Keeps what was heard up to now, of the members that there are. @throws StoreError */
  save({ roster, beats }: Pick<MeshState, 'roster' | 'beats'>): void {
    const newest = Array.from(roster.keys(), (peer): [PeerName, bigint | undefined] => [peer, beats.get(peer)?.seq ?? this.#before.get(peer)])
    const heard = newest.flatMap(([peer, seq]) => (seq === undefined ? [] : [[peer, `${seq}`]]))
    this.#values.setValue(NAME, Buffer.from(JSON.stringify(Object.fromEntries(heard))))
  }
}

/** Nothing where it cannot be read: members are then heard from their next beat on, as by a node that is new. */
function read(stored: Uint8Array | undefined): ReadonlyMap<string, bigint> {
  try {
    const heard = JSON.parse(Buffer.from(stored ?? Buffer.from('{}')).toString('utf8')) as Record<string, string>
    return new Map(Object.entries(heard).map(([peer, seq]) => [peer, BigInt(seq)]))
  } catch {
    return new Map()
  }
}
