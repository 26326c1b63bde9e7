import { mkdir, open, rm } from 'node:fs/promises'
import { join } from 'node:path'

import { StoreError, systemCode } from './store-error.ts'

/** The owner writes, the group may enter (the control socket is for it), others see nothing. */
const DATA_DIR_MODE = 0o750

/**
 * Creates the data directory where it is missing and proves that files can be made in it.
 * @throws StoreError NOT_WRITABLE
 */
export async function ensureDataDir(dir: string): Promise<void> {
  const probe = join(dir, `.probe-${process.pid}`)
  try {
    await mkdir(dir, { recursive: true, mode: DATA_DIR_MODE })
    await (await open(probe, 'w', 0o600)).close()
    await rm(probe, { force: true })
  } catch (error) {
    throw new StoreError('NOT_WRITABLE', { path: dir, reason: systemCode(error) ?? String(error) }, { cause: error })
  }
}
