import type { LayerId, PeerName } from '@sgsd/consensus'
import type { ItemStore } from '@sgsd/store'

/** A member's part in a consensus. */
export interface ConsensusHead {
  readonly author: PeerName
  readonly seq: bigint
  readonly layer: LayerId
  /** Weight in the fold; 1 where none was measured. */
  readonly weight: number
}

/** One fold that this node made. */
export interface ConsensusRecord {
  /** Counts the changes of the consensus on this node, from 1. */
  readonly n: number
  readonly id: string
  readonly digest: string
  /** Colour epoch of the mesh at the time. */
  readonly epoch: bigint
  /** Wall clock of this node, ms since 1970. */
  readonly at: number
  /** In peer-id order. */
  readonly heads: readonly ConsensusHead[]
}

type Entry = Omit<ConsensusRecord, 'heads'> & { readonly count: number }

/** A head, from the first to the last consensus that it is part of. */
interface Span extends ConsensusHead {
  readonly from: number
  /** 0 while it is part of the newest. */
  readonly to: number
}

type Notes = Pick<ItemStore, 'notes' | 'setNote' | 'deleteNote' | 'batch'>

const ENTRIES = 'consensus'
const SPANS = 'consensus-head'

/**
 * What this node folded, one entry for each change of the consensus, on disk when `append` returns. A head is written once, with the entries between which it stands:
 * of thousands of members one change costs two notes.
 */
export class ConsensusLog {
  readonly #notes: Notes
  readonly #keep: number
  /** Ascending by n, without gaps. */
  readonly #entries: Entry[] = []
  readonly #spans = new Map<string, Span>()

  /** @param keep - entries kept, at least 1; of more the oldest go */
  constructor(notes: Notes, keep: number) {
    this.#notes = notes
    this.#keep = keep
    for (const { bytes } of notes.notes(ENTRIES)) this.#entries.push(entryOf(bytes))
    for (const { key, bytes } of notes.notes(SPANS)) this.#spans.set(key, spanOf(bytes))
  }

  get size(): number {
    return this.#entries.length
  }

  get newest(): ConsensusRecord | undefined {
    return this.record(this.#entries.at(-1)?.n ?? 0)
  }

  /** Adds an entry, unless the newest one says the same. @returns whether it was added */
  append(fold: Omit<ConsensusRecord, 'n'>): boolean {
    const last = this.#entries.at(-1)
    if (last !== undefined && last.id === fold.id && last.digest === fold.digest) return false
    const { heads, ...rest } = fold
    const entry: Entry = { ...rest, n: (last?.n ?? 0) + 1, count: heads.length }
    this.#notes.batch(() => {
      this.#close(last?.n ?? 0, heads)
      const open = new Set([...this.#spans.values()].filter(({ to }) => to === 0).map(({ author }) => author))
      for (const head of heads) if (!open.has(head.author)) this.#setSpan({ ...head, from: entry.n, to: 0 })
      this.#notes.setNote(ENTRIES, entryKey(entry.n), bytesOf(entry))
      this.#entries.push(entry)
      this.#prune()
    })
    return true
  }

  /** @param n - its number. @returns undefined for one that is no longer or not yet kept */
  record(n: number): ConsensusRecord | undefined {
    const entry = this.#entry(n)
    if (entry === undefined) return undefined
    const { count: _count, ...rest } = entry
    const heads = [...this.#spans.values()].filter(({ from, to }) => from <= n && (to === 0 || to >= n))
    return { ...rest, heads: heads.map(({ author, seq, layer, weight }) => ({ author, seq, layer, weight })).sort(byAuthor) }
  }

  /** Newest first: records without their heads, and how many those are. */
  list(most: number): readonly Entry[] {
    return this.#entries.slice(-most).reverse()
  }

  /** Numbers of the records whose id begins so, newest first. */
  find(prefix: string): readonly number[] {
    return this.#entries.flatMap(({ id, n }) => (id.startsWith(prefix) ? [n] : [])).reverse()
  }

  /** Number of the newest record of an epoch, or of the newest epoch before it. */
  ofEpoch(epoch: bigint): number | undefined {
    return this.#entries.findLast((entry) => entry.epoch <= epoch)?.n
  }

  /** Heads of the newest `window` records, each once. */
  heads(window: number): readonly ConsensusHead[] {
    const first = (this.#entries.at(-1)?.n ?? 0) - window + 1
    return [...this.#spans.values()].filter(({ to }) => to === 0 || to >= first)
  }

  #entry(n: number): Entry | undefined {
    const first = this.#entries[0]?.n
    return first === undefined ? undefined : this.#entries[n - first]
  }

  /** Ends the spans of heads that the next record does not have. */
  #close(last: number, next: readonly ConsensusHead[]): void {
    const wanted = new Map(next.map((head) => [head.author, head]))
    for (const [key, span] of this.#spans) {
      if (span.to !== 0) continue
      const head = wanted.get(span.author)
      if (head === undefined || head.layer !== span.layer || head.seq !== span.seq || head.weight !== span.weight) {
        this.#setSpan({ ...span, to: last }, key)
      }
    }
  }

  #setSpan(span: Span, key: string = `${entryKey(span.from)}/${span.author}`): void {
    this.#spans.set(key, span)
    this.#notes.setNote(SPANS, key, bytesOf(span))
  }

  #prune(): void {
    while (this.#entries.length > this.#keep) this.#notes.deleteNote(ENTRIES, entryKey(this.#entries.shift()!.n))
    const first = this.#entries[0]!.n
    for (const [key, { to }] of this.#spans) {
      if (to === 0 || to >= first) continue
      this.#spans.delete(key)
      this.#notes.deleteNote(SPANS, key)
    }
  }
}

/** Keys in the order of the numbers. */
function entryKey(n: number): string {
  return String(n).padStart(16, '0')
}

function bytesOf(value: object): Uint8Array {
  return Buffer.from(
    JSON.stringify(value, (_key, each: unknown) => (typeof each === 'bigint' ? String(each) : each)),
    'utf8',
  )
}

function entryOf(bytes: Uint8Array): Entry {
  const entry = JSON.parse(Buffer.from(bytes).toString('utf8')) as Omit<Entry, 'epoch'> & { epoch: string }
  return { ...entry, epoch: BigInt(entry.epoch) }
}

function spanOf(bytes: Uint8Array): Span {
  const span = JSON.parse(Buffer.from(bytes).toString('utf8')) as Omit<Span, 'seq'> & { seq: string }
  return { ...span, seq: BigInt(span.seq) }
}

function byAuthor(a: ConsensusHead, b: ConsensusHead): number {
  return a.author < b.author ? -1 : a.author > b.author ? 1 : 0
}
