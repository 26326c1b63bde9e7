import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { zstdDecompress } from 'node:zlib'
import { HANZI_TABLE_FILE, type HanziKernel, MAX_TABLE_BYTES, parseHanziTable } from '@sgsd/lattice'

const unzstd = promisify(zstdDecompress)

/** A compressed file that ships with sgsd. @param file - as its package names it @param most - bytes of its content */
export async function readShipped(file: string, most: number): Promise<Uint8Array> {
  return unzstd(await readFile(fileURLToPath(import.meta.resolve(file))), { maxOutputLength: most })
}

/** The hanzi table that every lattice of this version stands on. */
export async function readHanziKernel(): Promise<HanziKernel> {
  const table = parseHanziTable(await readShipped(HANZI_TABLE_FILE, MAX_TABLE_BYTES))
  if ('error' in table) throw new Error(`the shipped hanzi table is damaged: ${table.error}`)
  return table
}
