import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

/** A text to farm: UTF-8, one line after the other. */
export interface Corpus {
  readonly name: string
  readonly bytes: Uint8Array
}

/** The Thousand Character Classic (千字文, 6th century, public domain): 250 lines of four characters. */
export async function readDefaultCorpus(): Promise<Corpus> {
  const file = fileURLToPath(import.meta.resolve('@sgsd/lattice/data/corpus/qianziwen.txt'))
  return { name: '千字文', bytes: await readFile(file) }
}
