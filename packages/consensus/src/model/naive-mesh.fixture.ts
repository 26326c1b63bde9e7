import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import type { PeerName } from '../ids.ts'
import type { Beat, Claim, SignedItem } from '../items.ts'
import type { Signed } from '../state.ts'

type Kind = SignedItem['kind']

/** An exclusion, written as protocol.md §7.10 says it. */
export interface NaiveWindow {
  readonly cause: string
  readonly from: bigint
  readonly until: bigint | undefined
}

/** An epoch that is over; `any` XOR where a claim that is false, and not found out, had a part in it. */
interface NaiveClosed {
  readonly epoch: bigint
  readonly how: 'computed' | 'adopted'
  xor: bigint | 'any'
}

/**
 * What a node must know, as naively as it can be said: the list of everything that was taken in, and questions whose answers are computed anew from the
 * whole list each time. Nothing of the real state machine is used. It assumes that content which is asked for arrives before the next item does.
 */
export class NaiveMesh {
  readonly self: PeerName
  readonly chunks: number
  /** XOR of the true values of some chunks of an epoch. */
  readonly truth: (epoch: bigint, chunks: readonly number[]) => bigint
  /** Ids of claims whose leaves tell a wrong value, and of claims whose leaves do not fit the claim at all. */
  readonly forged = new Set<string>()
  readonly unfit = new Set<string>()
  /** Ids of heads whose layer is bad. */
  readonly badLayers = new Set<string>()
  items: SignedItem[] = []
  epoch = 0n
  closed: NaiveClosed[] = []
  heard: { readonly beat: Beat; readonly at: number }[] = []
  /** The newest epoch that was closed before this process started. */
  resumed: bigint | undefined
  #answers: { readonly about: string; readonly known: Map<string, unknown> } = { about: '', known: new Map() }

  constructor(self: PeerName, chunks: number, truth: (epoch: bigint, chunks: readonly number[]) => bigint) {
    this.self = self
    this.chunks = chunks
    this.truth = truth
  }

  /** @returns whether the item stands now, what stands no longer, and whether the two are evidence that has to be written down */
  receive(item: SignedItem, now: number): { readonly taken: boolean; readonly replaced?: string; readonly testify: boolean } {
    if (!this.#isNear(item)) return { taken: false, testify: false }
    const before = this.standing(item.kind).find((other) => naiveKey(other) === naiveKey(item))
    this.items.push(item)
    const taken = before?.id !== item.id && this.standing(item.kind).some(({ id }) => id === item.id)
    const testify = before !== undefined && this.#isRival(before, item)
    if (item.kind === 'seal' && item.value.author !== this.self && item.value.epoch >= this.epoch + 2n) this.adopt(now)
    return { taken, testify, ...(taken && before !== undefined ? { replaced: before.id } : {}) }
  }

  /** Closes epochs until one is open, or has to be repaired. */
  settle(): void {
    for (;;) {
      const repairing = this.repairing()
      for (const closed of this.closed) {
        if (closed.how === 'computed' && closed.xor !== 'any' && this.#isKept(closed.epoch) && !repairing.includes(closed.epoch))
          closed.xor = this.#xorOf(closed.epoch)
      }
      if (repairing.length > 0 || this.covered(this.epoch).length < this.chunks) return
      this.closed.unshift({ epoch: this.epoch, how: 'computed', xor: this.#xorOf(this.epoch) })
      this.epoch += 1n
    }
  }

  /** The largest epoch that more than half of the other live members have sealed, where that is two ahead or more. */
  adopt(now: number): void {
    const others = this.live(now).filter((name) => name !== this.self)
    const seals = this.standing('seal').filter(({ value }) => others.includes(value.author))
    const sealed = seals
      .map(({ value }) => value.epoch)
      .filter((epoch) => seals.filter(({ value }) => value.epoch >= epoch).length * 2 > others.length)
    if (sealed.length === 0) return
    const epoch = sealed.reduce((a, b) => (a > b ? a : b))
    if (epoch < this.epoch + 2n) return
    const xors = seals.filter(({ value }) => value.epoch === epoch).map(({ value }) => value.xor)
    const votes = (xor: bigint): number => xors.filter((other) => other === xor).length
    const xor = xors.reduce((best, other) => (votes(other) > votes(best) || (votes(other) === votes(best) && other < best) ? other : best))
    this.closed.unshift({ epoch, how: 'adopted', xor })
    this.epoch = epoch + 1n
  }

  hear(beat: Beat, at: number): void {
    const newest = this.heard.filter((other) => other.beat.author === beat.author)
    if (this.isMember(beat.author) && newest.every((other) => other.beat.seq < beat.seq)) this.heard.push({ beat, at })
  }

  /** The process starts anew from what is on disk. */
  restart(disk: readonly SignedItem[]): void {
    this.items = [...disk]
    this.#answers = { about: '', known: new Map() }
    this.heard = []
    const own = this.standing('seal').find(({ value }) => value.author === this.self)
    this.epoch = own === undefined ? 0n : own.value.epoch + 1n
    this.resumed = own?.value.epoch
    this.closed = own === undefined ? [] : [{ epoch: own.value.epoch, how: 'computed', xor: 'any' }]
  }

  /** Of every key the item that stands. */
  standing<K extends Kind>(kind: K): readonly Signed<K>[] {
    return this.#remember(`standing ${kind}`, () => {
      const all = this.items.filter((item): item is Signed<K> => item.kind === kind && !this.#isForgotten(item))
      return [...Map.groupBy(all, naiveKey).values()].map((rivals) => rivals.reduce((best, item) => (wins(item, best) ? item : best)))
    })
  }

  isMember(name: PeerName): boolean {
    return this.standing('record').some(({ value }) => value.author === name)
  }

  isExcluded(name: PeerName, epoch: bigint = this.epoch): boolean {
    return this.windows(name).some(({ from, until }) => from <= epoch && (until === undefined || epoch <= until))
  }

  /** In order of their first epochs. */
  windows(name: PeerName): readonly NaiveWindow[] {
    return this.#remember(`windows ${name}`, () => this.#windows(name))
  }

  #windows(name: PeerName): readonly NaiveWindow[] {
    const opened: { cause: string; from: bigint; until: bigint | undefined; id: string }[] = []
    for (const { cause, epoch, id } of this.#offences(name)) {
      if (opened.some(({ from, until }) => from <= epoch && epoch <= until!)) continue
      opened.push({ cause, from: epoch, until: epoch + (opened.length === 0 ? 8n : 64n), id })
    }
    const unforgiven = this.#equivocationsOf(name)
      .filter((item) => !this.#isForgiven(item))
      .map(({ id, value }) => ({ from: value.first.kind === 'claim' ? value.first.value.epoch : 0n, id }))
      .sort((a, b) => (a.from < b.from || (a.from === b.from && a.id < b.id) ? -1 : 1))
    if (unforgiven[0] !== undefined) opened.push({ cause: 'equivocation', until: undefined, ...unforgiven[0] })
    const [newest] = this.#validOps(name).sort((a, b) => (a.value.seq > b.value.seq || (a.value.seq === b.value.seq && a.id > b.id) ? -1 : 1))
    if (newest?.value.action === 'revoke') opened.push({ cause: 'revoked', from: newest.value.epoch, until: undefined, id: newest.id })
    return opened
      .sort((a, b) => (a.from < b.from || (a.from === b.from && a.id < b.id) ? -1 : 1))
      .map(({ cause, from, until }) => ({ cause, from, until }))
  }

  /** Claims of an epoch that count: of members that are not out of it, with leaves that fit. */
  valid(epoch: bigint): readonly Signed<'claim'>[] {
    return this.standing('claim').filter(
      ({ id, value }) => value.epoch === epoch && this.isMember(value.author) && !this.isExcluded(value.author, epoch) && !this.unfit.has(id),
    )
  }

  /** Chunks of an epoch that valid claims cover. */
  covered(epoch: bigint): readonly number[] {
    const claims = this.valid(epoch)
    return Array.from({ length: this.chunks }, (_, chunk) => chunk).filter((chunk) => claims.some(({ value }) => isIn(value, chunk)))
  }

  /** Closed epochs, claims kept, that are no longer whole. */
  repairing(): readonly bigint[] {
    const computed = this.closed.filter(({ epoch, how }) => how === 'computed' && this.#isKept(epoch))
    return computed.map(({ epoch }) => epoch).filter((epoch) => this.covered(epoch).length < this.chunks)
  }

  /** The newest head of each member that is in, if its layer is good. */
  heads(): readonly Signed<'head'>[] {
    return this.standing('head').filter(({ id, value }) => this.isMember(value.author) && !this.isExcluded(value.author) && !this.badLayers.has(id))
  }

  live(now: number): readonly PeerName[] {
    const isHeard = (name: PeerName): boolean => this.heard.some(({ beat, at }) => beat.author === name && now - at <= 15_000)
    return this.#staying().filter((name) => name === this.self || isHeard(name))
  }

  /** In 64ths. docs/protocol.md §7.11 */
  weights(): ReadonlyMap<PeerName, bigint> {
    const incomes = new Map<PeerName, bigint>()
    for (const { value: head } of this.heads()) {
      const scores = this.standing('receipt')
        .filter(({ value }) => value.layer === head.layer && value.subject === head.author && value.author !== head.author)
        .filter(({ value }) => this.isMember(value.author) && !this.isExcluded(value.author))
        .map(({ value }) => BigInt(Math.floor(value.score * 65_536)) / 2n ** (value.epoch < this.epoch ? (this.epoch - value.epoch) / 8n : 0n))
      const income = lowerMedian(scores)
      if (income !== undefined) incomes.set(head.author, income)
    }
    const middle = lowerMedian([...incomes.values()].filter((income) => income > 0n))
    if (middle === undefined) return new Map()
    return new Map([...incomes].map(([name, income]) => [name, (64n * (income < 3n * middle ? income : 3n * middle)) / middle]))
  }

  consensus(foldId: string): string {
    const weights = this.weights()
    const heads = [...this.heads()].sort((a, b) => (a.value.author < b.value.author ? -1 : 1))
    const weightOf = (name: PeerName): bigint => weights.get(name) ?? 64n
    const weighted = heads.some(({ value }) => weightOf(value.author) !== 64n)
    const body = heads.flatMap(({ value }) => [
      text(value.author),
      little(value.seq),
      hexToBytes(value.layer),
      ...(weighted ? [little(weightOf(value.author))] : []),
    ])
    return bytesToHex(sha256(concatBytes(utf8ToBytes(weighted ? 'sgs-consensus/2' : 'sgs-consensus/1'), text(foldId), ...body)))
  }

  /** Ids of all items that stand, in order. */
  inventory(): readonly string[] {
    const kinds = ['record', 'head', 'claim', 'seal', 'proof', 'equivocation', 'op', 'receipt'] as const
    return kinds.flatMap((kind) => this.standing(kind).map(({ id }) => id as string)).sort()
  }

  rosterHash(): string {
    const records = [...this.standing('record')].sort((a, b) => (a.value.author < b.value.author ? -1 : 1))
    return bytesToHex(sha256(concatBytes(utf8ToBytes('sgs-roster/1'), ...records.map(({ id }) => hexToBytes(id)))))
  }

  digest(): string {
    return bytesToHex(sha256(concatBytes(utf8ToBytes('sgs-state/1'), ...this.inventory().map(hexToBytes))))
  }

  /** The same question about the same items has the same answer. */
  #remember<T>(question: string, answer: () => T): T {
    const about = `${this.items.length} ${this.epoch}`
    if (this.#answers.about !== about) this.#answers = { about, known: new Map() }
    const { known } = this.#answers
    if (!known.has(question)) known.set(question, answer())
    return known.get(question) as T
  }

  #staying(): readonly PeerName[] {
    return this.standing('record').flatMap(({ value }) => (value.left || this.isExcluded(value.author) ? [] : [value.author]))
  }

  #xorOf(epoch: bigint): bigint | 'any' {
    if (this.valid(epoch).some(({ id }) => this.forged.has(id))) return 'any'
    return this.truth(epoch, this.covered(epoch))
  }

  #offences(name: PeerName): readonly { readonly cause: string; readonly epoch: bigint; readonly id: string }[] {
    return this.standing('proof')
      .flatMap(({ id, value }) => {
        const { author: accused, epoch } = value.claim.value
        const isUpheld = value.value !== this.truth(epoch, [value.chunk])
        return (isUpheld ? accused : value.author) === name ? [{ cause: isUpheld ? 'forged' : 'false-accusation', epoch, id }] : []
      })
      .sort((a, b) => (a.epoch < b.epoch || (a.epoch === b.epoch && a.id < b.id) ? -1 : 1))
  }

  #equivocationsOf(name: PeerName): readonly Signed<'equivocation'>[] {
    return this.standing('equivocation').filter(({ value }) => value.first.value.author === name)
  }

  #isForgiven({ value }: Signed<'equivocation'>): boolean {
    const { first } = value
    return this.#validOps(first.value.author).some(({ value: op }) => {
      if (op.action !== 'readmit') return false
      if (first.kind === 'claim') return first.value.epoch <= op.epoch
      return first.value.seq <= (first.kind === 'head' ? op.headSeq : op.recordSeq)
    })
  }

  /** Decisions over a member by others who never offended. */
  #validOps(subject: PeerName): Signed<'op'>[] {
    return this.standing('op').filter(({ value: { author, subject: other } }) => {
      if (other !== subject || author === subject || !this.isMember(author)) return false
      return this.#offences(author).length === 0 && this.#equivocationsOf(author).length === 0
    })
  }

  /** Was it signed beside the other one for the same key and version? Of oneself nobody testifies, and nothing is written down twice. */
  #isRival(before: SignedItem, item: SignedItem): boolean {
    if (before.id === item.id || item.value.author === this.self) return false
    if (item.kind !== 'record' && item.kind !== 'head' && item.kind !== 'claim') return false
    if (item.kind !== 'claim' && (before as typeof item).value.seq !== item.value.seq) return false
    const { author } = item.value
    return !this.#equivocationsOf(author).some(({ value: { first } }) => {
      if (first.kind !== item.kind) return false
      return first.kind !== 'claim' || first.value.epoch === (item.value as Claim).epoch
    })
  }

  /** Claims of two epochs back to two ahead, receipts of 64 back. */
  #isNear(item: SignedItem): boolean {
    if (item.kind !== 'claim' && item.kind !== 'receipt') return true
    return !this.#isForgotten(item) && item.value.epoch <= this.epoch + 2n
  }

  #isForgotten(item: SignedItem): boolean {
    if (item.kind === 'claim') return !this.#isKept(item.value.epoch)
    return item.kind === 'receipt' && item.value.epoch + 64n < this.epoch
  }

  #isKept(epoch: bigint): boolean {
    return epoch + 2n >= this.epoch
  }
}

/** What makes two items rivals for one place. */
export function naiveKey({ kind, value }: SignedItem): string {
  if (kind === 'claim') return `${kind} ${value.author} ${value.epoch} ${value.index}`
  if (kind === 'proof')
    return `${kind} ${value.author} ${value.claim.value.author} ${value.claim.value.epoch} ${value.claim.value.index} ${value.chunk}`
  if (kind === 'op') return `${kind} ${value.author} ${value.subject}`
  if (kind === 'receipt') return `${kind} ${value.author} ${value.layer}`
  if (kind !== 'equivocation') return `${kind} ${value.author}`
  const { first } = value
  return `${kind} ${first.value.author} ${first.kind} ${first.kind === 'claim' ? first.value.epoch : ''}`
}

/** Of two items for one place: does `a` stand? docs/protocol.md §5.1 */
function wins(a: SignedItem, b: SignedItem): boolean {
  if (a.id === b.id) return false
  const right = rankOf(b)
  const [difference] = rankOf(a).flatMap((number, i) => (number === right[i] ? [] : [number - (right[i] ?? 0n)]))
  if (difference !== undefined) return difference > 0n
  return a.kind === 'claim' || a.kind === 'proof' || a.kind === 'equivocation' ? a.id < b.id : a.id > b.id
}

function rankOf({ kind, value }: SignedItem): readonly bigint[] {
  if (kind === 'record' || kind === 'head' || kind === 'op') return [value.seq]
  if (kind === 'seal') return [value.epoch, BigInt(value.revision)]
  if (kind === 'receipt') return [value.epoch]
  if (kind === 'equivocation') return [value.first.kind === 'claim' ? value.first.value.epoch : value.first.value.seq]
  return []
}

function isIn({ run }: Claim, chunk: number): boolean {
  return chunk >= run.start && chunk < run.start + run.count
}

function lowerMedian(values: readonly bigint[]): bigint | undefined {
  return [...values].sort((a, b) => (a < b ? -1 : 1))[Math.ceil(values.length / 2) - 1]
}

function text(value: string): Uint8Array {
  return concatBytes(Uint8Array.of(value.length), utf8ToBytes(value))
}

function little(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(8 * i)) & 255n))
}
