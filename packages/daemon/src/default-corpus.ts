import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

/** A text to farm, line by line. */
export interface Corpus {
  readonly name: string
  readonly lines: readonly string[]
}

/** The Thousand Character Classic (千字文, 6th century, public domain): 250 lines of four characters. */
export async function readDefaultCorpus(): Promise<Corpus> {
  const file = fileURLToPath(import.meta.resolve('@sgsd/lattice/data/corpus/qianziwen.txt'))
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '')
  return { name: '千字文', lines }
}
