import { type StoreError, isStoreError } from '@sgsd/store'
import { textName } from '@sgsd/wire'
import { DaemonError } from '../daemon-error.ts'
import { ByteQueue } from './byte-queue.ts'
import { checkedLines, cutAt, endsLine, SEGMENT_BYTES } from './cut.ts'
import type { FarmLedger, LedgerText } from './ledger.ts'
import { type SegmentBlocks, segmentDigest } from './segment-blocks.ts'
import { lineTooLong, textEmpty } from './text-refused.ts'

/** Disk that texts leave to everything else: layers must still be written when no further text is taken. */
const RESERVED_BYTES = 256 * 2 ** 20
/** The free space is looked at this often. */
const SEGMENTS_PER_LOOK = 16
/** Texts of one name (or beginning) that are compared. */
const MAX_CANDIDATES = 16

export interface TextOptions {
  readonly name: string
  /** Every member farms this same text: only owned rows learn. */
  readonly shared?: boolean
  /** Farm it from its beginning, whatever was farmed of it before. */
  readonly again?: boolean
}

/** What became of a text that was given. */
export interface TakenText {
  readonly text: LedgerText
  /** Lines that are new. */
  readonly taken: number
  /** Lines that were here before. */
  readonly known: number
}

export interface TakeParts {
  readonly ledger: FarmLedger
  readonly segments: SegmentBlocks
  /** Lines that are farmed once more when they get another successor: see `FarmLedger.append`. */
  readonly overlap: number
  /** Called whenever a text has more lines to farm, or is to be farmed from `from` on. */
  readonly onChange: (text: number, from: number | undefined) => void
  readonly signal: AbortSignal
}

/** Takes texts in: streams of bytes become segments on disk and lines in the queue, one segment in memory at a time. */
export class TextTaker {
  readonly #parts: TakeParts
  readonly #busy = new Set<string>()

  constructor(parts: TakeParts) {
    this.#parts = parts
  }

  /** True while a text is coming in. */
  get busy(): boolean {
    return this.#busy.size > 0
  }

  isTaking(name: string): boolean {
    return this.#busy.has(name)
  }

  /**
   * A text that was given before, by this name or with this first segment, is recognised by its bytes and goes on behind what is here of it. When the
   * stream breaks off, the whole lines that came are kept and farmed.
   * @throws DaemonError TEXT_NOT_UTF8 | TEXT_LINE_TOO_LONG | TEXT_EMPTY | TEXT_BUSY | DISK_FULL; whatever the source throws
   */
  async take(options: TextOptions, source: AsyncIterable<Uint8Array>): Promise<TakenText> {
    const name = textName(options.name)
    if (this.#busy.has(name)) throw new DaemonError('TEXT_BUSY', `${name} is coming in already`, 'sgsd farm status shows how far it is')
    this.#busy.add(name)
    try {
      return await new Intake(this.#parts, { ...options, name }, new ByteQueue(source)).run()
    } catch (error) {
      throw isStoreError(error, 'DISK_FULL') ? diskFull(error) : error
    } finally {
      this.#busy.delete(name)
    }
  }
}

function diskFull(error: StoreError): DaemonError {
  return new DaemonError('DISK_FULL', error.message, 'free some space and give the text again: it goes on where it stopped', { cause: error })
}

/** One text on its way in. */
class Intake {
  readonly #parts: TakeParts
  readonly #options: TextOptions
  readonly #input: ByteQueue
  #text: LedgerText | undefined
  #taken = 0
  #known = 0
  #offset = 0
  /** The segment before ended within a line. */
  #joins = false
  /** The last segment known, where its bytes were let go: what is appended needs them once more. */
  #before: { readonly first: number; readonly bytes: Uint8Array } | undefined
  /** Any line that is not empty. */
  #said = false
  #looked = 0
  #phase: 'recognising' | 'appending' | 'shorter' = 'recognising'

  constructor(parts: TakeParts, options: TextOptions, input: ByteQueue) {
    this.#parts = parts
    this.#options = options
    this.#input = input
  }

  async run(): Promise<TakenText> {
    try {
      if (this.#options.again !== true) await this.#recognise()
      if (this.#phase === 'recognising') await this.#append()
    } catch (error) {
      if (error instanceof DaemonError) throw this.#taken === 0 ? error : withTaken(error, this.#known + this.#taken)
      if (this.#phase === 'appending') await this.#keepWholeLines()
      throw error
    }
    const { ledger, onChange } = this.#parts
    const text = this.#text
    if (text === undefined) throw textEmpty(this.#options.name)
    if (!this.#said && this.#known === 0) {
      ledger.remove(text.id)
      throw textEmpty(this.#options.name)
    }
    if (this.#phase === 'appending') {
      ledger.finish(text.id)
      onChange(text.id, undefined)
    }
    return { text: ledger.text(text.id)!, taken: this.#taken, known: this.#known }
  }

  /** Finds the text whose beginning this one has, and passes over all that it has in common with it. */
  async #recognise(): Promise<void> {
    const { ledger } = this.#parts
    const input = this.#input
    const ended = !(await input.fill(SEGMENT_BYTES + 2))
    const cut = ended && input.size <= SEGMENT_BYTES ? input.size : cutAt(input.peek())
    if (cut === 0) return
    const digest = segmentDigest(input.peek(cut))
    for (const text of ledger.candidates(this.#options.name, digest, MAX_CANDIDATES)) {
      const first = ledger.segment(text.id, 0)
      if (first === undefined || text.shared !== (this.#options.shared ?? false)) continue
      if (first.bytes > input.size || segmentDigest(input.peek(first.bytes)) !== first.digest) continue
      // another name: only a whole segment says that it is the same text, not merely the same few words to begin with
      if (text.name !== this.#options.name && !(first.digest === digest && (cut < input.size || text.bytes === cut))) continue
      return this.#follow(text)
    }
  }

  /** Compares segment by segment; where the text goes on differently, it does so from there on. */
  async #follow(text: LedgerText): Promise<void> {
    const { ledger, onChange, segments, overlap } = this.#parts
    this.#text = text
    const known = ledger.segments(text.id)
    for (const [place, segment] of known.entries()) {
      const here = await this.#input.fill(segment.bytes)
      if (!here && this.#input.size === 0) {
        this.#phase = 'shorter'
        return
      }
      const bytes = this.#input.peek(segment.bytes)
      if (!here || segmentDigest(bytes) !== segment.digest) {
        ledger.truncate(text.id, place, overlap)
        ledger.requeue(text.id)
        onChange(text.id, segment.first - overlap)
        return
      }
      if (segment.first + segment.lines > text.next && (segment.block === '' || !segments.has(segment.block))) {
        ledger.moved(text.id, segment.first, await segments.put(bytes))
        onChange(text.id, undefined)
      }
      const last = place === known.length - 1
      this.#before = last && segment.block === '' ? { first: segment.first, bytes: new Uint8Array(bytes) } : undefined
      this.#input.take(segment.bytes)
      this.#offset += segment.bytes
      this.#known += segment.lines
      this.#joins = !segment.ended
    }
  }

  async #append(): Promise<void> {
    this.#phase = 'appending'
    for (;;) {
      this.#parts.signal.throwIfAborted()
      const more = await this.#input.fill(SEGMENT_BYTES + 2)
      if (this.#input.size === 0) return
      const all = !more && this.#input.size <= SEGMENT_BYTES
      const cut = all ? this.#input.size : cutAt(this.#input.peek())
      if (cut === 0) throw lineTooLong(this.#options.name, this.#known + this.#taken + 1)
      await this.#add(this.#input.take(cut))
    }
  }

  /** The stream broke off: what came of it up to the last line end is worth keeping. */
  async #keepWholeLines(): Promise<void> {
    const cut = cutAt(this.#input.peek())
    if (cut > 0) await this.#add(this.#input.take(cut)).catch(() => {})
  }

  async #add(bytes: Uint8Array): Promise<void> {
    const { ledger, segments, onChange, overlap } = this.#parts
    const { name, shared } = this.#options
    const first = this.#known + this.#taken
    const lines = checkedLines(bytes, { name, offset: this.#offset, line: first, joins: this.#joins })
    this.#said ||= lines.some((line) => line !== '')
    if (this.#looked++ % SEGMENTS_PER_LOOK === 0) await this.#requireRoom()
    const block = await segments.put(bytes)
    if (this.#text !== undefined && this.#before !== undefined) {
      ledger.moved(this.#text.id, this.#before.first, await segments.put(this.#before.bytes))
      this.#before = undefined
    }
    if (this.#text === undefined) this.#text = ledger.create(name, shared ?? false)
    else if (this.#taken === 0 && this.#text.whole) ledger.requeue(this.#text.id)
    const ended = endsLine(bytes)
    ledger.append(this.#text.id, { digest: segmentDigest(bytes), block, bytes: bytes.length, first, lines: lines.length, ended }, overlap)
    this.#joins = !ended
    this.#taken += lines.length
    this.#offset += bytes.length
    onChange(this.#text.id, first - overlap)
  }

  async #requireRoom(): Promise<void> {
    const free = await this.#parts.segments.freeBytes()
    if (free >= RESERVED_BYTES) return
    const mib = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`
    throw new DaemonError(
      'DISK_FULL',
      `${mib(free)} of disk are free, and texts leave ${mib(RESERVED_BYTES)} to the node`,
      'free some space and give the text again: it goes on where it stopped',
    )
  }
}

/** The same refusal, saying what came before it. */
function withTaken(error: DaemonError, lines: number): DaemonError {
  return new DaemonError(error.code, `${error.message}; the ${lines.toLocaleString('en')} lines before it are taken`, error.hint, { cause: error })
}
