import type { Adopted, LatticeCompute, LayerContent } from '@sgsd/compute'
import type { LayerId } from '@sgsd/consensus'
import { DaemonError } from '../daemon-error.ts'
import type { LineageDraft } from './lineage-draft.ts'

/** Rows from a file that are to become part of what this member has learned, with a layer of their own. */
export interface Adoption {
  /** What its lineage calls the file; a name that `textName` gives. */
  readonly name: string
  /** SHA-256 of its canonical content, 64 hex digits: the segment of its lineage. */
  readonly digest: string
  /** Rows in it. */
  readonly rows: number
  readonly content: LayerContent
  /** Called just before the layer is announced: after a crash the layer says whether the rows were taken. */
  expect(layer: LayerId): void
}

/** What became of it, once the layer is on disk and announced. */
export interface AdoptedLayer extends Adopted {
  readonly layer: LayerId
}

interface Pending extends PromiseWithResolvers<AdoptedLayer> {
  readonly adoption: Adoption
}

/** Files whose rows wait to be learned, one after the other, and the one whose rows are learned and in no layer yet. */
export class Adoptions {
  readonly #waiting: Pending[] = []
  #closed = false
  #learned: (Pending & { readonly adopted: Adopted }) | undefined

  /** @throws DaemonError BUSY when the daemon stops before the layer is made */
  add(adoption: Adoption): Promise<AdoptedLayer> {
    if (this.#closed) return Promise.reject(stopping())
    const pending = { adoption, ...Promise.withResolvers<AdoptedLayer>() }
    this.#waiting.push(pending)
    return pending.promise
  }

  get waiting(): boolean {
    return this.#waiting.length > 0
  }

  /** Rows were learned that no layer holds. */
  get uncommitted(): boolean {
    return this.#learned !== undefined
  }

  /** Has the next file's rows learned. @returns whether they were: then a commit is due */
  async learnNext(lattice: Pick<LatticeCompute, 'adopt'>, lineage: LineageDraft): Promise<boolean> {
    const pending = this.#waiting.shift()
    if (pending === undefined) return false
    const { content, name, digest, rows } = pending.adoption
    try {
      const adopted = await lattice.adopt(content)
      if (adopted.rows === 0)
        throw new DaemonError('IMPORT_REFUSED', `none of its rows are this member's: ${adopted.leftOut} belong to others' radicals`)
      this.#learned = { ...pending, adopted }
    } catch (error) {
      pending.reject(error)
      return false
    }
    lineage.add(name, [{ segment: digest, first: 0, from: 0, to: rows }])
    return true
  }

  /** Just before the layer that holds the rows is announced. */
  expect(layer: LayerId): void {
    this.#learned?.adoption.expect(layer)
  }

  committed(layer: LayerId): void {
    this.#learned?.resolve({ ...this.#learned.adopted, layer })
    this.#learned = undefined
  }

  /** Nothing more will be learned. */
  close(): void {
    this.#closed = true
    for (const { reject } of this.#waiting.splice(0)) reject(stopping())
  }
}

function stopping(): DaemonError {
  return new DaemonError('BUSY', 'the daemon stops', 'import the file again when it runs')
}
