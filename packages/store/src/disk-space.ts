import { statfs } from 'node:fs/promises'

import { fromSystemError, StoreError } from './store-error.ts'

/** Left free beside the block that is written, bytes: room for SQLite's log to record what came with it. */
const RESERVE_BYTES = 2 ** 20

/** Free bytes that an ordinary user may write at `dir`. */
export async function freeBytes(dir: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(dir)
    return bavail * bsize
  } catch (error) {
    throw fromSystemError(error, dir)
  }
}

/**
 * Refuses a write before it starts unless twice its size is free: blocks must not be what fills a disk.
 * @throws StoreError DISK_FULL
 */
export async function requireRoom(dir: string, bytes: number): Promise<void> {
  const needBytes = 2 * bytes + RESERVE_BYTES
  const free = await freeBytes(dir)
  if (free < needBytes) throw new StoreError('DISK_FULL', { path: dir, needBytes, freeBytes: free })
}
