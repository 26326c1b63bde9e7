import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** Removes files of a directory beyond `keep`, first those that were longest untouched (written or moved here); those in use stay. */
export async function pruneDirectory(dir: string, keep: number, inUse: (path: string) => boolean = () => false): Promise<void> {
  const names = await readdir(dir)
  if (names.length <= keep) return
  const aged = await Promise.all(
    names.map(async (name) => {
      const path = join(dir, name)
      return { path, ctimeMs: (await stat(path).catch(() => undefined))?.ctimeMs ?? 0 }
    }),
  )
  aged.sort((a, b) => b.ctimeMs - a.ctimeMs)
  for (const { path } of aged.slice(keep)) {
    if (!inUse(path)) await rm(path, { force: true })
  }
}
