import { mkdir, open, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'

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
    await makeDirectory(resolve(dir), DATA_DIR_MODE)
    await (await open(probe, 'w', 0o600)).close()
    await rm(probe, { force: true })
  } catch (error) {
    throw new StoreError('NOT_WRITABLE', { path: dir, reason: systemCode(error) ?? String(error) }, { cause: error })
  }
}

/**
 * Makes a directory and those above it. Not Node's `recursive`: that never returns where the system answers ENOENT for a
 * directory whose parent exists, as /proc does.
 */
async function makeDirectory(dir: string, mode: number): Promise<void> {
  try {
    await mkdir(dir, { mode })
  } catch (error) {
    const code = systemCode(error)
    if (code === 'EEXIST' && (await stat(dir)).isDirectory()) return
    const parent = dirname(dir)
    if (code !== 'ENOENT' || parent === dir || (await isDirectory(parent))) throw error
    await makeDirectory(parent, 0o755)
    await mkdir(dir, { mode })
  }
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
}
