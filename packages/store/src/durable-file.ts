import { randomBytes } from 'node:crypto'
import { link, open, rename, rm } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'

import { fromSystemError } from './store-error.ts'

/** Makes the names in a directory durable: a rename or a new file is only then safe from power loss. */
export async function syncDirectory(dir: string): Promise<void> {
  const handle = await open(dir, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/**
 * Replaces a file whole: whoever looks, also after a crash at any point, sees the old bytes or the new ones.
 * @param mode - permissions of the new file
 * @throws StoreError DISK_FULL | NOT_WRITABLE | NOT_FOUND (no such directory) | IO_FAILED; nothing is left behind
 */
export async function writeFileDurably(path: string, bytes: Uint8Array, mode = 0o640): Promise<void> {
  await placeFile(path, bytes, mode, (temp) => rename(temp, path))
}

/**
 * As `writeFileDurably`, but never replaces: the second of two writers fails, with nothing lost.
 * @throws StoreError as above; IO_FAILED with reason EEXIST when the file is there
 */
export async function createFileDurably(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  await placeFile(path, bytes, mode, async (temp) => {
    await link(temp, path)
    await rm(temp)
  })
}

/** Writes and syncs a new file. It must not exist; the caller removes it when this throws. */
export async function writeNewFile(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  const handle = await open(path, 'wx', mode)
  try {
    await writeWhole(handle, bytes, 0)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Writes all of `bytes` at `position`, however little the system takes at a time. */
export async function writeWhole(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done)
    done += bytesWritten
  }
}

async function placeFile(path: string, bytes: Uint8Array, mode: number, place: (temp: string) => Promise<void>): Promise<void> {
  const temp = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    await writeNewFile(temp, bytes, mode)
    await place(temp)
    await syncDirectory(dirname(path))
  } catch (error) {
    await rm(temp, { force: true }).catch(() => undefined)
    throw fromSystemError(error, path)
  }
}
