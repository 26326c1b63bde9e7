import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import type { Context } from './context.ts'
import { EXIT } from './exit-code.ts'
import { CliError } from './failure.ts'
import { openProgress } from './progress.ts'
import { plainText } from './text/display-width.ts'
import { bytes } from './text/figures.ts'
import { whyNot } from './text-file.ts'

/** Bytes of a piece of a file. */
const PIECE_BYTES = 2 ** 20

/** How a file is called in messages and documents. */
export function inputName(file: string): string {
  return file === '-' ? 'standard input' : file
}

/**
 * A file of any size, or for `-` standard input, piece by piece; how far it is stands on standard error meanwhile.
 * @throws CliError FILE_UNREADABLE, exit 2
 */
export async function* readPieces(context: Context, file: string): AsyncGenerator<Uint8Array> {
  const size = await sizeOf(context, file)
  const progress = openProgress(context.terminal, plainText(basename(inputName(file))), size, (perSecond) => `${bytes(perSecond)}/s`, bytes)
  let done = 0
  try {
    const pieces: AsyncIterable<Uint8Array> =
      file === '-' ? context.terminal.inputBytes(context.signal) : createReadStream(file, { highWaterMark: PIECE_BYTES, signal: context.signal })
    for await (const piece of pieces) {
      yield piece
      done += piece.length
      // one piece is over before anybody could read about it
      if (done > PIECE_BYTES) progress.update(done)
    }
  } catch (error) {
    throw unreadable(context, file, error)
  } finally {
    if (done > PIECE_BYTES) progress.end()
  }
}

/**
 * The text of UTF-8 pieces, without a byte order mark at its start.
 * @throws CliError FILE_UNREADABLE, exit 2, for what is not UTF-8
 */
export async function* decodePieces(context: Context, file: string, pieces: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  for await (const piece of pieces) yield decoded(piece)
  yield decoded()

  function decoded(piece?: Uint8Array): string {
    try {
      return piece === undefined ? decoder.decode() : decoder.decode(piece, { stream: true })
    } catch (error) {
      throw unreadable(context, file, error)
    }
  }
}

async function sizeOf(context: Context, file: string): Promise<number | undefined> {
  if (file === '-') return undefined
  try {
    const found = await stat(file)
    return found.isFile() ? found.size : undefined
  } catch (error) {
    throw unreadable(context, file, error)
  }
}

function unreadable(context: Context, file: string, error: unknown): unknown {
  context.signal.throwIfAborted()
  if (error instanceof CliError) return error
  return new CliError('FILE_UNREADABLE', `cannot read ${inputName(file)}: ${whyNot(error)}`, EXIT.usage, '', { cause: error })
}
