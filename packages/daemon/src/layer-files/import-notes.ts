import type { LayerId } from '@sgsd/consensus'
import type { LayerOrigin } from '@sgsd/interop'
import type { ItemStore } from '@sgsd/store'

/** What of a file is remembered: counts may be added once only. */
export interface ImportNote {
  readonly digest: string
  /** Where it said it comes from. */
  readonly origin: LayerOrigin | undefined
  /** The layer that holds it. */
  readonly layer: LayerId
  /** The layer was announced. A crash just before leaves a note that is not settled, of a layer that nobody knows. */
  readonly settled: boolean
}

const KIND = 'import'

/** Files whose counts were added to this member's, in the items database. Every call is durable when it returns. */
export class ImportNotes {
  readonly #items: Pick<ItemStore, 'notes' | 'setNote'>

  constructor(items: Pick<ItemStore, 'notes' | 'setNote'>) {
    this.#items = items
  }

  set({ digest, ...note }: ImportNote): void {
    this.#items.setNote(KIND, digest, Buffer.from(JSON.stringify(note), 'utf8'))
  }

  list(): readonly ImportNote[] {
    return Array.from(this.#items.notes(KIND), ({ key, bytes }) => ({
      ...(JSON.parse(Buffer.from(bytes).toString('utf8')) as Omit<ImportNote, 'digest'>),
      digest: key,
    }))
  }
}

/**
 * Why counts may not be added once more. Counts of one member contain those of its earlier layers, and a consensus those of all members, so that of one
 * foreign member one file is taken, and of one foreign mesh either members or a consensus.
 * @param notes - files whose layer stands
 */
export function countedBefore(notes: readonly ImportNote[], { digest, origin }: Pick<ImportNote, 'digest' | 'origin'>): string | undefined {
  const same = notes.find((note) => note.digest === digest)
  if (same !== undefined) return `these counts were added before, by layer ${same.layer.slice(0, 12)}`
  if (origin === undefined) return undefined
  const overlapping = notes.find(
    ({ origin: other }) => other?.mesh === origin.mesh && (other.author === origin.author || other.author === '' || origin.author === ''),
  )
  if (overlapping === undefined) return undefined
  const who = origin.author === '' ? 'members of that mesh' : 'that member'
  return `counts of ${who} were added before, by layer ${overlapping.layer.slice(0, 12)}; these hold some of them again`
}
