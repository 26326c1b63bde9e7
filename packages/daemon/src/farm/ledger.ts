import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { BlockId, LayerId } from '@sgsd/consensus'
import { ledgerError, openLedgerDatabase } from './ledger-database.ts'

/** A text that was given, and how far it was farmed. */
export interface LedgerText {
  readonly id: number
  /** Place in the queue: texts are farmed in the order of their turns. */
  readonly turn: number
  readonly name: string
  /** Every member farms this same text: only owned rows learn. */
  readonly shared: boolean
  /** It came in to its end. */
  readonly whole: boolean
  readonly bytes: number
  readonly lines: number
  /** Lines that can be farmed now: all of a whole text; otherwise the last one waits for its successor. */
  readonly ready: number
  /** First line that the own head has not learned. */
  readonly next: number
  /** Farmed lines that taught something. */
  readonly graded: number
  /** Farmed lines without a character that the lattice knows. */
  readonly unknown: number
}

export interface LedgerSegment {
  /** SHA-256 of its bytes. */
  readonly digest: string
  /** Where the bytes are, or '' when they were farmed and not kept. */
  readonly block: BlockId | ''
  readonly bytes: number
  /** Number of its first line. */
  readonly first: number
  readonly lines: number
  /** Its last line has a line end. */
  readonly ended: boolean
}

/** How far a text has come with a layer. */
export interface Advance {
  readonly next: number
  /** Lines since the layer before that taught something, and those without known characters. */
  readonly graded: number
  readonly unknown: number
}

export interface LedgerTotals {
  readonly texts: number
  readonly lines: number
  readonly farmed: number
  /** Lines that can be farmed now and were not. */
  readonly waiting: number
  /** About so many bytes of text are not farmed yet. */
  readonly waitingBytes: number
}

/** Texts, their segments and their progress, in `farm.db`. Every call is synchronous and durable when it returns. */
export class FarmLedger {
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()
  #totals: LedgerTotals | undefined

  /** @param path - of the database; `:memory:` in tests. @throws DaemonError STATE_DAMAGED | NOT_WRITABLE */
  constructor(path: string) {
    this.#database = openLedgerDatabase(path)
  }

  /** True when no text was ever given. */
  get untouched(): boolean {
    return this.#one('SELECT 1 FROM text LIMIT 1') === undefined
  }

  create(name: string, shared: boolean): LedgerText {
    const sql = `INSERT INTO text (turn, name, shared, whole, bytes, lines, ready, next, graded, unknown)
      VALUES ((SELECT COALESCE(MAX(turn), 0) + 1 FROM text), ?, ?, 0, 0, 0, 0, 0, 0, 0)`
    return this.#batch(() => this.text(Number(this.#prepare(sql).run(name, Number(shared)).lastInsertRowid))!)
  }

  text(id: number): LedgerText | undefined {
    return textOf(this.#one('SELECT * FROM text WHERE id = ?', id))
  }

  /** Texts that may be the one of this name, or have this first segment: newest first. */
  candidates(name: string, firstDigest: string, most: number): readonly LedgerText[] {
    const sql = `SELECT * FROM text WHERE name = ?1 UNION SELECT text.* FROM segment JOIN text ON text.id = segment.text
      WHERE digest = ?2 AND place = 0 ORDER BY id DESC LIMIT ?3`
    return this.#all(sql, name, firstDigest, most).map((row) => textOf(row)!)
  }

  /** Those that can be farmed now, first come first. */
  *waiting(): Generator<LedgerText> {
    for (let turn = 0; ;) {
      const rows = this.#all('SELECT * FROM text WHERE next < ready AND turn > ? ORDER BY turn LIMIT 32', turn)
      if (rows.length === 0) return
      for (const row of rows) yield textOf(row)!
      turn = Number(rows.at(-1)!['turn'])
    }
  }

  /** Newest first: those of which anything is still to do, then the rest. */
  list(most: number): readonly LedgerText[] {
    return this.#all('SELECT * FROM text ORDER BY next < lines OR NOT whole DESC, turn DESC LIMIT ?', most).map((row) => textOf(row)!)
  }

  /** Lines to farm up to a place in the queue. */
  linesUpTo(turn: number): number {
    return Number(this.#one('SELECT COALESCE(SUM(ready - next), 0) AS sum FROM text WHERE next < ready AND turn <= ?', turn)!['sum'])
  }

  totals(): LedgerTotals {
    if (this.#totals === undefined) {
      const row = this.#one(`SELECT COUNT(*) AS texts, COALESCE(SUM(lines), 0) AS lines, COALESCE(SUM(next), 0) AS farmed,
        COALESCE(SUM(ready - next), 0) AS waiting, COALESCE(SUM(CASE WHEN lines > 0 THEN bytes * 1.0 * (ready - next) / lines ELSE 0 END), 0.0) AS bytes FROM text`)!
      const { texts, lines, farmed, waiting, bytes } = row as Readonly<Record<string, number>>
      this.#totals = { texts: texts!, lines: lines!, farmed: farmed!, waiting: waiting!, waitingBytes: Math.round(bytes!) }
    }
    return this.#totals
  }

  segments(text: number): readonly LedgerSegment[] {
    return this.#all('SELECT * FROM segment WHERE text = ? ORDER BY place', text).map((row) => segmentOf(row)!)
  }

  segment(text: number, place: number): LedgerSegment | undefined {
    return segmentOf(this.#one('SELECT * FROM segment WHERE text = ? AND place = ?', text, place))
  }

  /** The segment that holds a line, with whether the one before it ended within a line. */
  segmentAt(text: number, line: number): { readonly segment: LedgerSegment; readonly joins: boolean } | undefined {
    const row = this.#one('SELECT * FROM segment WHERE text = ? AND first <= ? AND lines > 0 ORDER BY first DESC LIMIT 1', text, line)
    const segment = segmentOf(row)
    if (segment === undefined || line >= segment.first + segment.lines) return undefined
    return { segment, joins: this.segment(text, Number(row!['place']) - 1)?.ended === false }
  }

  /**
   * @param overlap - lines before the segment that are farmed once more now that they have a successor: 1 where the next line grades, 0 where a line was
   *   graded for itself
   */
  append(text: number, segment: LedgerSegment, overlap: number): void {
    this.#batch(() => {
      const { place } = this.#one('SELECT COALESCE(MAX(place) + 1, 0) AS place FROM segment WHERE text = ?', text)! as { place: number }
      const { digest, block, bytes, first, lines, ended } = segment
      this.#run('INSERT INTO segment VALUES (?, ?, ?, ?, ?, ?, ?, ?)', text, place, digest, block, bytes, first, lines, Number(ended))
      this.#rewind(text, first - overlap)
      this.#run('UPDATE text SET whole = 0, bytes = bytes + ?, lines = lines + ? WHERE id = ?', bytes, lines, text)
      this.#setReady(text)
    })
  }

  /** Forgets all segments but the first `keep`: the text goes on differently there. @param overlap - as of `append` */
  truncate(text: number, keep: number, overlap: number): void {
    this.#batch(() => {
      this.#run('DELETE FROM segment WHERE text = ? AND place >= ?', text, keep)
      const sums = this.#one('SELECT COALESCE(SUM(bytes), 0) AS bytes, COALESCE(SUM(lines), 0) AS lines FROM segment WHERE text = ?', text)!
      const { bytes, lines } = sums as { bytes: number; lines: number }
      this.#rewind(text, lines - overlap)
      this.#run('UPDATE text SET whole = 0, bytes = ?, lines = ? WHERE id = ?', bytes, lines, text)
      this.#setReady(text)
    })
  }

  /** The text is here to its end. */
  finish(text: number): void {
    this.#batch(() => {
      this.#run('UPDATE text SET whole = 1 WHERE id = ?', text)
      this.#setReady(text)
    })
  }

  /** To the end of the queue. */
  requeue(text: number): void {
    this.#batch(() => this.#run('UPDATE text SET turn = (SELECT MAX(turn) + 1 FROM text) WHERE id = ?', text))
  }

  remove(text: number): void {
    this.#batch(() => {
      for (const table of ['segment', 'pending']) this.#run(`DELETE FROM ${table} WHERE text = ?`, text)
      this.#run('DELETE FROM text WHERE id = ?', text)
    })
  }

  /** The bytes of a segment are kept somewhere else, or ('') no more. */
  moved(text: number, first: number, block: BlockId | ''): void {
    this.#batch(() => this.#run('UPDATE segment SET block = ? WHERE text = ? AND first = ?', block, text, first))
  }

  /** Segments whose bytes nothing needs any more: they are learned, with `context` lines behind them, and hold no unlearned line of another text. */
  spent(text: number, context: number): readonly LedgerSegment[] {
    const sql = `SELECT s.* FROM segment AS s JOIN text ON text.id = s.text WHERE s.text = ?1 AND s.block <> ''
      AND (s.first + s.lines + ?2 <= text.next OR (text.whole AND text.next = text.lines)) AND NOT EXISTS
        (SELECT 1 FROM segment AS o JOIN text AS t ON t.id = o.text WHERE o.digest = s.digest AND o.block = s.block AND o.first + o.lines > t.next)`
    return this.#all(sql, text, context).map((row) => segmentOf(row)!)
  }

  /** Blocks that hold segments. */
  blocks(): readonly BlockId[] {
    return this.#all("SELECT DISTINCT block FROM segment WHERE block <> ''").map((row) => row['block'] as BlockId)
  }

  /** Every place at which a segment of these bytes stands, with whether the one before it ended within a line. */
  segmentsOf(digest: string): readonly { readonly segment: LedgerSegment; readonly joins: boolean }[] {
    return this.#all('SELECT * FROM segment WHERE digest = ?', digest).map((row) => ({
      segment: segmentOf(row)!,
      joins: this.segment(Number(row['text']), Number(row['place']) - 1)?.ended === false,
    }))
  }

  /** Notes how far texts will have come once `layer` is the own head. */
  expect(layer: LayerId, advances: ReadonlyMap<number, Advance>): void {
    this.#batch(() => {
      for (const [text, { next, graded, unknown }] of advances)
        this.#run('INSERT INTO pending VALUES (?, ?, ?, ?, ?)', layer, text, next, graded, unknown)
    })
  }

  /** Texts have come so far; nothing is expected any more. */
  advance(advances: ReadonlyMap<number, Advance>): void {
    this.#batch(() => {
      const sql = 'UPDATE text SET next = MIN(lines, MAX(next, ?)), graded = graded + ?, unknown = unknown + ? WHERE id = ?'
      for (const [text, { next, graded, unknown }] of advances) this.#run(sql, next, graded, unknown, text)
      this.#run('DELETE FROM pending')
    })
  }

  /** After a restart: what was expected of the own head came true, everything else did not. */
  settle(head: LayerId | undefined): void {
    const rows = head === undefined ? [] : this.#all('SELECT * FROM pending WHERE layer = ?', head)
    this.advance(
      new Map(
        rows.map((row) => [Number(row['text']), { next: Number(row['next']), graded: Number(row['graded']), unknown: Number(row['unknown']) }]),
      ),
    )
  }

  /** Own learning was lost: every text whose bytes were kept is farmed from its first line again. @returns lines to farm again */
  startOver(): number {
    const before = this.totals().farmed
    this.#batch(() => {
      this.#run(
        "UPDATE text SET next = 0, graded = 0, unknown = 0 WHERE NOT EXISTS (SELECT 1 FROM segment WHERE segment.text = text.id AND block = '')",
      )
      this.#run('DELETE FROM pending')
    })
    return before - this.totals().farmed
  }

  /** What is known of a watched file. */
  file(path: string): { readonly stamp: string; readonly text: number; readonly error: string } | undefined {
    return this.#one('SELECT stamp, text, error FROM file WHERE path = ?', path) as { stamp: string; text: number; error: string } | undefined
  }

  setFile(path: string, file: { readonly stamp: string; readonly text: number; readonly error: string }): void {
    this.#batch(() => this.#run('INSERT OR REPLACE INTO file VALUES (?, ?, ?, ?)', path, file.stamp, file.text, file.error))
  }

  value(name: string): Uint8Array | undefined {
    return this.#one('SELECT bytes FROM value WHERE name = ?', name)?.['bytes'] as Uint8Array | undefined
  }

  setValue(name: string, bytes: Uint8Array): void {
    this.#batch(() => this.#run('INSERT OR REPLACE INTO value VALUES (?, ?)', name, bytes))
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close()
  }

  #rewind(text: number, line: number): void {
    for (const [table, key] of [
      ['text', 'id'],
      ['pending', 'text'],
    ]) {
      this.#run(`UPDATE ${table} SET next = MIN(next, ?) WHERE ${key} = ?`, Math.max(0, line), text)
    }
  }

  #setReady(text: number): void {
    this.#run('UPDATE text SET ready = MAX(next, CASE WHEN whole THEN lines ELSE MAX(0, lines - 1) END) WHERE id = ?', text)
  }

  #batch<T>(work: () => T): T {
    this.#totals = undefined
    try {
      this.#database.exec('BEGIN IMMEDIATE')
      const result = work()
      this.#database.exec('COMMIT')
      return result
    } catch (error) {
      // A full disk has already rolled it back.
      if (this.#database.isOpen && this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw ledgerError(error)
    }
  }

  #run(sql: string, ...values: Value[]): void {
    this.#prepare(sql).run(...values)
  }

  #one(sql: string, ...values: Value[]): Row | undefined {
    return this.#prepare(sql).get(...values)
  }

  #all(sql: string, ...values: Value[]): readonly Row[] {
    return this.#prepare(sql).all(...values)
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (statement === undefined) this.#statements.set(sql, (statement = this.#database.prepare(sql)))
    return statement
  }
}

type Value = string | number | Uint8Array
type Row = Readonly<Record<string, unknown>>

function textOf(row: Row | undefined): LedgerText | undefined {
  if (row === undefined) return undefined
  const { id, turn, name, bytes, lines, ready, next, graded, unknown } = row as unknown as LedgerText
  return { id, turn, name, shared: row['shared'] === 1, whole: row['whole'] === 1, bytes, lines, ready, next, graded, unknown }
}

function segmentOf(row: Row | undefined): LedgerSegment | undefined {
  if (row === undefined) return undefined
  const { digest, block, bytes, first, lines } = row as unknown as LedgerSegment
  return { digest, block, bytes, first, lines, ended: row['ended'] === 1 }
}
