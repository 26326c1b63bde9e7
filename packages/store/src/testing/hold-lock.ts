import { writeSync } from 'node:fs'

import { lockDataDir } from '../data-dir-lock.ts'
import { isStoreError } from '../store-error.ts'

/** What the process says once, before it holds the lock for ever or ends. */
export type LockLine = 'held' | `refused ${number | undefined}`

const say = (line: LockLine): unknown => writeSync(1, `${line}\n`)
try {
  await lockDataDir(process.argv[2]!)
  say('held')
  setInterval(() => undefined, 60_000)
} catch (error) {
  if (!isStoreError(error, 'ALREADY_RUNNING')) throw error
  say(`refused ${error.data.pid}`)
}
