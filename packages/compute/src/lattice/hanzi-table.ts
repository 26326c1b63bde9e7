import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { zstdDecompressSync } from 'node:zlib'
import { HANZI_TABLE_FILE, type HanziKernel, MAX_TABLE_BYTES, parseHanziTable } from '@sgsd/lattice'

/** Reads the hanzi table that is shipped, for a worker thread. @throws Error when the installation is damaged */
export function readTable(): HanziKernel {
  const bytes = readFileSync(fileURLToPath(import.meta.resolve(HANZI_TABLE_FILE)))
  const table = parseHanziTable(zstdDecompressSync(bytes, { maxOutputLength: MAX_TABLE_BYTES }))
  if ('error' in table) throw new Error(`the hanzi table is damaged: ${table.error}`)
  return table
}
