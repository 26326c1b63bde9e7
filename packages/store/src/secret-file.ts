import { open } from 'node:fs/promises'

import { createFileDurably } from './durable-file.ts'
import { fromSystemError, StoreError, systemCode } from './store-error.ts'

/** Owner reads and writes, nobody else anything. */
const SECRET_MODE = 0o600
/** An identity key is 68 bytes, a mesh key 32. */
const MAX_SECRET_BYTES = 65_536

/**
 * Reads a key that only its owner can reach.
 * @throws StoreError NOT_FOUND | SECRET_EXPOSED (with the command that mends it) | NOT_WRITABLE (no permission) | IO_FAILED
 */
export async function readSecretFile(path: string): Promise<Uint8Array> {
  try {
    await using handle = await open(path, 'r')
    const stat = await handle.stat()
    if (!stat.isFile()) throw new StoreError('IO_FAILED', { path, reason: 'not a regular file' })
    // Modes say nothing on Windows.
    if (process.platform !== 'win32' && (stat.mode & 0o077) !== 0) {
      throw new StoreError('SECRET_EXPOSED', { path, mode: (stat.mode & 0o7777).toString(8).padStart(4, '0') })
    }
    if (stat.size > MAX_SECRET_BYTES) throw new StoreError('IO_FAILED', { path, reason: `larger than ${MAX_SECRET_BYTES} bytes` })
    return new Uint8Array(await handle.readFile())
  } catch (error) {
    throw fromSystemError(error, path)
  }
}

/**
 * Creates a key file, mode 0600, whole or not at all.
 * @throws StoreError SECRET_EXISTS | DISK_FULL | NOT_WRITABLE | NOT_FOUND | IO_FAILED
 */
export async function writeSecretFile(path: string, bytes: Uint8Array): Promise<void> {
  try {
    await createFileDurably(path, bytes, SECRET_MODE)
  } catch (error) {
    if (error instanceof StoreError && systemCode(error.cause) === 'EEXIST') throw new StoreError('SECRET_EXISTS', { path }, { cause: error })
    throw error
  }
}
