import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { zstdDecompress } from 'node:zlib'
import { CORPORA, OrderModel } from '@sgsd/lattice'
import type { Context } from './context.ts'
import { EXIT } from './exit-code.ts'
import { CliError } from './failure.ts'
import { decodePieces, inputName, readPieces } from './input-bytes.ts'

/** Names of the texts that ship. */
export const CORPUS_NAMES: readonly (keyof typeof CORPORA)[] = ['tang', 'lunyu', 'qianziwen']

export interface OrderCorpus {
  /** Name of a text that ships, or of a file. */
  readonly name: string
  readonly model: OrderModel
}

/**
 * What a text says about the order of characters: one that ships, by its name, or a UTF-8 file of any size.
 * @throws CliError FILE_UNREADABLE or TEXT_EMPTY, exit 2
 */
export async function readOrderCorpus(context: Context, corpus: string): Promise<OrderCorpus> {
  const model = new OrderModel()
  const shipped = CORPUS_NAMES.find((name) => name === corpus)
  if (shipped !== undefined) model.push(await shippedText(CORPORA[shipped].file))
  else for await (const text of decodePieces(context, corpus, readPieces(context, corpus))) model.push(text)
  model.end()
  if (model.clauses === 0) throw new CliError('TEXT_EMPTY', `${inputName(corpus)} holds no characters to learn from`, EXIT.usage)
  return { name: shipped ?? basename(inputName(corpus)), model }
}

async function shippedText(specifier: string): Promise<string> {
  const content = await readFile(fileURLToPath(import.meta.resolve(specifier)))
  return (specifier.endsWith('.zst') ? await promisify(zstdDecompress)(content) : content).toString('utf8')
}
