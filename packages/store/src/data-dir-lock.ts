import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { DatabaseSync } from 'node:sqlite'

import { ensureDataDir } from './data-dir.ts'
import { fromSystemError, StoreError } from './store-error.ts'

/** How long a start waits for a holder to go, ms: a stopping daemon's last moments, or two starts that block each other for an instant. */
const LOCK_WAIT_MS = 750
/** Between two tries, ms; each start adds its own chance part, so that two of them do not stay in step. */
const LOCK_RETRY_MS = 20
const SQLITE_BUSY = 5

/**
 * Holds a data directory for this process until disposed or until the process ends, however it ends.
 *
 * The lock is an open exclusive transaction on `<dir>/lock` (an empty SQLite database): Node has no flock, SQLite takes a POSIX
 * record lock, and the system drops that with its process. So no stale lock exists and a reused pid means nothing; `<dir>/lock.pid`
 * only tells people who holds it. Nothing in this process may open `<dir>/lock` by other means: closing that would drop the lock.
 * @throws StoreError ALREADY_RUNNING within 1 s | NOT_WRITABLE | IO_FAILED
 */
export async function lockDataDir(dir: string): Promise<AsyncDisposable> {
  await ensureDataDir(dir)
  const path = join(dir, 'lock')
  const pidPath = join(dir, 'lock.pid')
  const database = await takeLock(dir, path, pidPath)
  try {
    await writeFile(`${pidPath}.tmp`, `${process.pid}\n`, { mode: 0o640 })
    await rename(`${pidPath}.tmp`, pidPath)
  } catch (error) {
    database.close()
    throw fromSystemError(error, pidPath)
  }
  let held = true
  return {
    async [Symbol.asyncDispose](): Promise<void> {
      if (!held) return
      held = false
      await rm(pidPath, { force: true }).catch(() => undefined)
      database.close()
    },
  }
}

async function takeLock(dir: string, path: string, pidPath: string): Promise<DatabaseSync> {
  const deadline = performance.now() + LOCK_WAIT_MS
  for (;;) {
    const database = tryLock(path)
    if (database !== undefined) return database
    if (performance.now() >= deadline) throw new StoreError('ALREADY_RUNNING', { dir, pid: await readPid(pidPath) })
    await delay(LOCK_RETRY_MS * (1 + Math.random()))
  }
}

/** @returns the connection whose transaction is the lock, or undefined while somebody else has it */
function tryLock(path: string): DatabaseSync | undefined {
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(path, { timeout: 0 })
    database.exec('BEGIN EXCLUSIVE')
    return database
  } catch (error) {
    database?.close()
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return undefined
    throw new StoreError('IO_FAILED', { path, reason: (error as Error).message }, { cause: error })
  }
}

async function readPid(pidPath: string): Promise<number | undefined> {
  const text = await readFile(pidPath, 'utf8').catch(() => '')
  const pid = Number.parseInt(text, 10)
  return pid > 0 ? pid : undefined
}
