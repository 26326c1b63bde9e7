import type { LayerId, PeerName } from '@sgsd/consensus'
import type { ItemStore } from '@sgsd/store'
import type { RootSource } from './roots.ts'

/** A layer that stays until it is unpinned, whatever the mesh does. */
export interface Pin {
  readonly layer: LayerId
  readonly author: PeerName
  /** For people. */
  readonly note: string
}

const KIND = 'pin'

/** Pinned layers, in the items database. Every call is durable when it returns. */
export class Pins {
  readonly #items: Pick<ItemStore, 'notes' | 'setNote' | 'deleteNote'>

  constructor(items: Pick<ItemStore, 'notes' | 'setNote' | 'deleteNote'>) {
    this.#items = items
  }

  /** By id of the layer. */
  list(): readonly Pin[] {
    return Array.from(this.#items.notes(KIND), ({ key, bytes }) => {
      const { author, note } = JSON.parse(Buffer.from(bytes).toString('utf8')) as Omit<Pin, 'layer'>
      return { layer: key as LayerId, author, note }
    })
  }

  has(layer: LayerId): boolean {
    return this.list().some((pin) => pin.layer === layer)
  }

  /** Pins, or changes the note. The layer's blocks need not be here: what is missing is fetched. */
  pin({ layer, author, note }: Pin): void {
    if (!/^[0-9a-f]{64}$/.test(layer)) throw new TypeError(`${JSON.stringify(layer)} is not a layer id`)
    this.#items.setNote(KIND, layer, Buffer.from(JSON.stringify({ author, note }), 'utf8'))
  }

  /** @returns whether it was pinned */
  unpin(layer: LayerId): boolean {
    return this.#items.deleteNote(KIND, layer)
  }

  /** A pinned layer is kept whole, its ancestors only if something else keeps them. */
  readonly roots: RootSource = () => this.list().map(({ layer, author }) => ({ type: 'layer', layer, author, whole: 1, known: 1, when: 'wanted' }))
}
