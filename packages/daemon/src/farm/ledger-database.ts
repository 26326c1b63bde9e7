import { closeSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { DaemonError } from '../daemon-error.ts'
import { APPLICATION_ID, SCHEMA, SCHEMA_VERSION } from './ledger-schema.ts'

const BUSY_TIMEOUT_MS = 2_000
const SQLITE_FULL = 13

/** Opens the ledger's database, or makes it. @param path - `:memory:` for tests @throws DaemonError STATE_DAMAGED | NOT_WRITABLE */
export function openLedgerDatabase(path: string): DatabaseSync {
  let database: DatabaseSync | undefined
  try {
    // Made here, so that it and the log beside it are the owner's alone.
    if (path !== ':memory:') closeSync(openSync(path, 'a', 0o600))
    database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS })
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF')
    const damage = prepare(database)
    if (damage !== undefined) throw new Error(damage)
    return database
  } catch (error) {
    database?.close()
    const { code, message } = error as NodeJS.ErrnoException
    const options = { cause: error }
    if (code !== undefined && /^E[A-Z]+$/.test(code)) throw new DaemonError('NOT_WRITABLE', `${path} cannot be written (${code})`, '', options)
    throw new DaemonError(
      'STATE_DAMAGED',
      `${path} is damaged: ${message}`,
      'move it away: what was learned stays, but texts given again are then farmed again',
      options,
    )
  }
}

/** Makes the tables in a new file, checks an old one. @returns what is wrong with it */
function prepare(database: DatabaseSync): string | undefined {
  const pragma = (name: string): unknown => Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0]
  const check = String(pragma('quick_check'))
  if (check !== 'ok') return check.split('\n', 1)[0]
  if (pragma('schema_version') === 0) {
    database.exec(`BEGIN IMMEDIATE; ${SCHEMA} COMMIT`)
    return undefined
  }
  if (pragma('application_id') !== APPLICATION_ID) return 'a database of another program'
  return Number(pragma('user_version')) > SCHEMA_VERSION ? 'written by a later version of sgsd' : undefined
}

/** What a call on the database threw, for people. */
export function ledgerError(error: unknown): unknown {
  const { errcode = 0, message } = error as Error & { readonly errcode?: number }
  if (errcode === 0) return error
  if ((errcode & 0xff) === SQLITE_FULL) return new DaemonError('DISK_FULL', 'no space left for farm.db', 'free some space', { cause: error })
  return new DaemonError('FAILED', `farm.db: ${message}`, '', { cause: error })
}
