import { closeSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { StatementSync } from 'node:sqlite'

import type { ItemId, ItemKind } from '@sgsd/consensus'

import type { ItemStore, Note, StoredItem } from './port.ts'
import { fromSystemError, StoreError } from './store-error.ts'

/** "sgsd" in ASCII: tells our database from anybody else's. */
const APPLICATION_ID = 0x73677364
/** Raised with every change of the tables; a later one is refused. */
const SCHEMA_VERSION = 2
/** How long a write waits for a reader of the file outside this process, ms. */
const BUSY_TIMEOUT_MS = 2_000
const SQLITE_CORRUPT = 11
const SQLITE_FULL = 13
const SQLITE_NOTADB = 26

/** What version 2 added. */
const NOTE_SCHEMA = 'CREATE TABLE note (kind TEXT NOT NULL, key TEXT NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (kind, key)) STRICT, WITHOUT ROWID;'
const SCHEMA = `
  CREATE TABLE item (kind TEXT NOT NULL, key TEXT NOT NULL, id TEXT NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (kind, key)) STRICT;
  CREATE TABLE value (name TEXT NOT NULL PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
  ${NOTE_SCHEMA}
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${SCHEMA_VERSION};
`

/** The item store on SQLite: write-ahead log, synced at each commit. Calls are synchronous; each costs one fsync, so group them with `batch`. */
export class SqliteItems implements ItemStore {
  readonly #path: string
  readonly #database: DatabaseSync
  readonly #all: StatementSync
  readonly #put: StatementSync
  readonly #delete: StatementSync
  readonly #notes: StatementSync
  readonly #setNote: StatementSync
  readonly #deleteNote: StatementSync
  readonly #getValue: StatementSync
  readonly #setValue: StatementSync
  #inBatch = false

  /** @throws StoreError STATE_CORRUPT | STATE_NEWER | NOT_WRITABLE | DISK_FULL | IO_FAILED */
  constructor(path: string) {
    this.#path = path
    this.#database = openDatabase(path)
    this.#all = this.#database.prepare('SELECT kind, key, id, bytes FROM item ORDER BY kind, key')
    this.#put = this.#database.prepare(
      'INSERT INTO item (kind, key, id, bytes) VALUES (?, ?, ?, ?) ON CONFLICT (kind, key) DO UPDATE SET id = excluded.id, bytes = excluded.bytes',
    )
    this.#delete = this.#database.prepare('DELETE FROM item WHERE kind = ? AND key = ? AND id = ?')
    this.#notes = this.#database.prepare('SELECT key, bytes FROM note WHERE kind = ? ORDER BY key')
    this.#setNote = this.#database.prepare(
      'INSERT INTO note (kind, key, bytes) VALUES (?, ?, ?) ON CONFLICT (kind, key) DO UPDATE SET bytes = excluded.bytes',
    )
    this.#deleteNote = this.#database.prepare('DELETE FROM note WHERE kind = ? AND key = ?')
    this.#getValue = this.#database.prepare('SELECT bytes FROM value WHERE name = ?')
    this.#setValue = this.#database.prepare('INSERT INTO value (name, bytes) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET bytes = excluded.bytes')
  }

  items(): Iterable<StoredItem> {
    // Read at once: an open cursor would see the writes of whoever iterates.
    return this.#guard(() => this.#all.all()) as unknown as StoredItem[]
  }

  put(item: StoredItem): void {
    this.#guard(() => this.#put.run(item.kind, item.key, item.id, item.bytes))
  }

  delete(kind: ItemKind, key: string, id: ItemId): void {
    this.#guard(() => this.#delete.run(kind, key, id))
  }

  notes(kind: string): Iterable<Note> {
    return this.#guard(() => this.#notes.all(kind)) as unknown as Note[]
  }

  setNote(kind: string, key: string, bytes: Uint8Array): void {
    this.#guard(() => this.#setNote.run(kind, key, bytes))
  }

  deleteNote(kind: string, key: string): boolean {
    return this.#guard(() => this.#deleteNote.run(kind, key)).changes > 0
  }

  getValue(name: string): Uint8Array | undefined {
    return this.#guard(() => this.#getValue.get(name))?.['bytes'] as Uint8Array | undefined
  }

  setValue(name: string, value: Uint8Array): void {
    this.#guard(() => this.#setValue.run(name, value))
  }

  batch<T>(work: () => T): T {
    if (this.#inBatch) return work()
    this.#guard(() => this.#database.exec('BEGIN IMMEDIATE'))
    this.#inBatch = true
    try {
      const result = work()
      this.#guard(() => this.#database.exec('COMMIT'))
      return result
    } catch (error) {
      // A full disk has already rolled it back.
      if (this.#database.isOpen && this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw error
    } finally {
      this.#inBatch = false
    }
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close()
  }

  #guard<T>(call: () => T): T {
    if (!this.#database.isOpen) throw new StoreError('CLOSED', { what: 'the store' })
    try {
      return call()
    } catch (error) {
      throw fromSqliteError(error, this.#path)
    }
  }
}

function openDatabase(path: string): DatabaseSync {
  try {
    // Made here, so that it and the log beside it (which takes its mode) are the owner's alone.
    closeSync(openSync(path, 'a', 0o600))
  } catch (error) {
    throw fromSystemError(error, path)
  }
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS })
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF')
    prepareSchema(database, path)
    return database
  } catch (error) {
    database?.close()
    throw fromSqliteError(error, path)
  }
}

/** Makes the tables in a new file, and those that a file of an older version lacks; checks the pages and the owner of an old one. */
function prepareSchema(database: DatabaseSync, path: string): void {
  const check = String(pragma(database, 'quick_check'))
  if (check !== 'ok') throw new StoreError('STATE_CORRUPT', { path, reason: check.split('\n', 1)[0]! })
  if (pragma(database, 'schema_version') === 0) {
    database.exec(`BEGIN IMMEDIATE; ${SCHEMA} COMMIT`)
    return
  }
  if (pragma(database, 'application_id') !== APPLICATION_ID) throw new StoreError('STATE_CORRUPT', { path, reason: 'a database of another program' })
  const found = Number(pragma(database, 'user_version'))
  if (found > SCHEMA_VERSION) throw new StoreError('STATE_NEWER', { path, found, known: SCHEMA_VERSION })
  if (found < 2) database.exec(`BEGIN IMMEDIATE; ${NOTE_SCHEMA} PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`)
}

function pragma(database: DatabaseSync, name: string): unknown {
  return Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0]
}

function fromSqliteError(error: unknown, path: string): StoreError {
  if (error instanceof StoreError) return error
  const { errcode = 0, message } = error as Error & { readonly errcode?: number }
  const options = { cause: error }
  // The low byte is the primary result code.
  switch (errcode & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return new StoreError('STATE_CORRUPT', { path, reason: message }, options)
    case SQLITE_FULL:
      return new StoreError('DISK_FULL', { path }, options)
    default:
      return new StoreError('IO_FAILED', { path, reason: message }, options)
  }
}
