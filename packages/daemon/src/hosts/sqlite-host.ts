import { closeSync, openSync, statSync } from 'node:fs'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { pause } from '../pause.ts'
import { checkGrade, itemDocument, MAX_REVISION_LENGTH, shown } from './grade.ts'
import type { SqliteConfig } from './host-config.ts'
import type { HostEnvironment } from './host-environment.ts'
import { HostError } from './host-error.ts'
import type { Grade, Host, HostItem } from './port.ts'
import { hostPath } from './secret.ts'

/** A table of grades and one of lines that want one; made where they are missing, so that a person may make them first. */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS grade (
    line TEXT NOT NULL PRIMARY KEY,
    score REAL CHECK (score BETWEEN 0 AND 1),
    revision TEXT
  ) STRICT;
  CREATE TABLE IF NOT EXISTS outbox (
    line TEXT NOT NULL PRIMARY KEY,
    next TEXT,
    nearest TEXT NOT NULL,
    layer TEXT NOT NULL
  ) STRICT;
`
/** Of a revision one character more than is allowed: enough to refuse it. What is no text stays what it is, and is refused for that. */
const FIND = `
  SELECT score, CASE WHEN typeof(revision) IN ('text', 'blob') THEN substr(revision, 1, ${MAX_REVISION_LENGTH + 1}) ELSE revision END AS revision
  FROM grade WHERE line = ?
`
/** Another program that holds the file is waited for: so often, ms, and so many times. Not by SQLite itself, which would stop the daemon. */
const BUSY_PAUSE_MS = 20
const BUSY_TRIES = 100
/** With `wait`, how long until farming looks again, ms. */
const LOOK_AGAIN_MS = 5_000
const SQLITE_BUSY = 5
const SQLITE_LOCKED = 6
const SQLITE_FULL = 13
const SQLITE_IOERR = 10

/** A database file: reads grades from the table `grade`, and leaves the lines that have none in the table `outbox`. */
export function openSqliteHost(config: SqliteConfig, env: HostEnvironment): Host {
  return new SqliteHost(config, hostPath(env.root, config.path))
}

class SqliteHost implements Host {
  readonly kind = 'sqlite'
  readonly batch: number
  readonly #wait: boolean
  readonly #path: string
  readonly #host: string
  readonly #closing = new AbortController()
  #open: Open | undefined

  constructor(config: SqliteConfig, path: string) {
    this.batch = config.batch
    this.#wait = config.wait
    this.#path = path
    this.#host = `sqlite host ${path}`
  }

  async grade(items: readonly HostItem[], signal: AbortSignal): Promise<readonly (Grade | undefined)[]> {
    const ending = AbortSignal.any([signal, this.#closing.signal])
    for (let n = 1; ; n++) {
      ending.throwIfAborted()
      try {
        const grades = this.#exchange(items)
        const missing = grades.filter((grade) => grade === undefined).length
        if (!this.#wait || missing === 0) return grades
        const reason = `${missing} of ${items.length} lines in its table outbox have no grade yet`
        throw new HostError('HOST_DOWN', { host: this.#host, reason, retryAfterMs: LOOK_AGAIN_MS })
      } catch (error) {
        if (error instanceof HostError) throw error
        const code = primaryCode(error)
        if ((code !== SQLITE_BUSY && code !== SQLITE_LOCKED) || n >= BUSY_TRIES) throw this.#failure(error, code)
        await pause(BUSY_PAUSE_MS, ending)
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort()
    this.#close()
  }

  /** One short transaction; a grade that was found takes its line out of the outbox. */
  #exchange(items: readonly HostItem[]): readonly (Grade | undefined)[] {
    const { database, find, ask, done } = this.#database()
    database.exec('BEGIN IMMEDIATE')
    try {
      const grades = items.map((item) => {
        const row = find.get(item.line)
        const grade = row === undefined || row['score'] === null ? undefined : this.#gradeOf(item.line, row)
        if (grade !== undefined) done.run(item.line)
        else {
          const { next, nearest } = itemDocument(item)
          ask.run(item.line, next, JSON.stringify(nearest), item.layer)
        }
        return grade
      })
      database.exec('COMMIT')
      return grades
    } finally {
      if (database.isTransaction) database.exec('ROLLBACK')
    }
  }

  #gradeOf(line: string, row: Readonly<Record<string, unknown>>): Grade | undefined {
    const verdict = checkGrade({ score: row['score'], revision: row['revision'] })
    if (verdict.ok) return verdict.grade
    throw new HostError('HOST_WRONG', { host: this.#host, reason: `the grade of ${shown(line, 40)}: ${verdict.reason}` })
  }

  /** Opens the file at the first call and after a failure; makes the tables that it lacks. */
  #database(): Open {
    if (this.#open !== undefined && this.#open.file === fileOf(this.#path)) return this.#open
    this.#close()
    // Made here, so that it and the log beside it (which takes its mode) are the owner's alone.
    closeSync(openSync(this.#path, 'a', 0o600))
    const database = new DatabaseSync(this.#path, { timeout: 0 })
    try {
      // Readers do not wait for writers then, which matters when a person's program keeps the file open.
      if (database.prepare('PRAGMA schema_version').get()?.['schema_version'] === 0) database.exec('PRAGMA journal_mode = WAL')
      database.exec('PRAGMA synchronous = NORMAL; PRAGMA trusted_schema = OFF')
      if (database.prepare("SELECT count(*) AS n FROM sqlite_schema WHERE name IN ('grade', 'outbox')").get()?.['n'] !== 2) database.exec(SCHEMA)
      this.#open = {
        database,
        file: fileOf(this.#path),
        find: database.prepare(FIND),
        ask: database.prepare('INSERT INTO outbox (line, next, nearest, layer) VALUES (?, ?, ?, ?) ON CONFLICT (line) DO NOTHING'),
        done: database.prepare('DELETE FROM outbox WHERE line = ?'),
      }
      return this.#open
    } catch (error) {
      database.close()
      throw error
    }
  }

  #failure(error: unknown, code: number): HostError {
    this.#close()
    const { message } = error as Error
    const options = { cause: error }
    if (code === SQLITE_BUSY || code === SQLITE_LOCKED) {
      const reason = `another program has held ${this.#path} for ${(BUSY_PAUSE_MS * BUSY_TRIES) / 1_000} s`
      return new HostError('HOST_DOWN', { host: this.#host, reason }, options)
    }
    if (code === SQLITE_FULL || code === SQLITE_IOERR) return new HostError('HOST_DOWN', { host: this.#host, reason: message }, options)
    const remedy = 'name a SQLite file that the daemon may write to, with the tables of docs/hosts.md or none of their names'
    return new HostError('HOST_REFUSED', { host: this.#host, reason: message, remedy }, options)
  }

  #close(): void {
    if (this.#open?.database.isOpen === true) this.#open.database.close()
    this.#open = undefined
  }
}

interface Open {
  readonly database: DatabaseSync
  /** Which file it is. */
  readonly file: string | undefined
  readonly find: StatementSync
  readonly ask: StatementSync
  readonly done: StatementSync
}

/** The low byte of SQLite's result code; 0 for errors that are not its. */
function primaryCode(error: unknown): number {
  return ((error as { readonly errcode?: number }).errcode ?? 0) & 0xff
}

/** Another file under the same name is another: what is written to one that was taken away would be lost. */
function fileOf(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat === undefined ? undefined : `${stat.dev}:${stat.ino}`
}
