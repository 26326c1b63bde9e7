import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { zstdDecompressSync } from 'node:zlib'

/** Largest uncompressed table accepted, bytes: the shipped one is under 4 MiB. */
const MAX_TABLE_BYTES = 16 * 2 ** 20

/** SHA-256 of the uncompressed hanzi table that this version ships: the lattice kernel id of a genesis. */
export async function readHanziKernelId(): Promise<string> {
  const file = fileURLToPath(import.meta.resolve('@sgsd/lattice/data/hanzi.bin.zst'))
  const table = zstdDecompressSync(await readFile(file), { maxOutputLength: MAX_TABLE_BYTES })
  return createHash('sha256').update(table).digest('hex')
}
