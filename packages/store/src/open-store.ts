import { join } from 'node:path'

import { ensureDataDir } from './data-dir.ts'
import { FileBlocks } from './file-blocks.ts'
import type { Store } from './port.ts'
import { SqliteItems } from './sqlite-items.ts'

/**
 * Opens the store of a data directory: `blocks/`, `incoming/`, `quarantine/`, `tmp/` and `state.db`, made where they are missing.
 * The caller holds `lockDataDir(dir)`: opening sweeps what a killed process left, and a second process would sweep a living one's work.
 * Time does not grow with the number of blocks.
 * @throws StoreError NOT_WRITABLE | STATE_CORRUPT | STATE_NEWER | DISK_FULL | IO_FAILED
 */
export async function openStore(dir: string): Promise<Store> {
  await ensureDataDir(dir)
  const items = new SqliteItems(join(dir, 'state.db'))
  try {
    const blocks = await FileBlocks.open(dir)
    const close = async (): Promise<void> => {
      await blocks.close()
      items.close()
    }
    return { blocks, items, close, [Symbol.asyncDispose]: close }
  } catch (error) {
    items.close()
    throw error
  }
}
