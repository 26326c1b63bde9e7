import { open } from 'node:fs/promises'
import type { Context } from './context.ts'
import { EXIT } from './exit-code.ts'
import { CliError } from './failure.ts'
import { whyNot } from './text-file.ts'

/**
 * The beginning of a UTF-8 file: all of it where it is no longer than `most` bytes, and else a little more than that, so that who reads it sees that it
 * is too long. `-` is standard input.
 * @throws CliError FILE_UNREADABLE, exit 2
 */
export async function readProgramSource(context: Context, file: string, most: number): Promise<string> {
  if (file === '-') return context.terminal.readInput(most)
  try {
    await using handle = await open(file)
    const bytes = Buffer.alloc(most + 1)
    let length = 0
    while (length < bytes.length) {
      context.signal.throwIfAborted()
      const { bytesRead } = await handle.read(bytes, length, bytes.length - length)
      if (bytesRead === 0) break
      length += bytesRead
    }
    // a character that the end cuts in two is no fault of the file
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, length), { stream: length > most })
  } catch (error) {
    context.signal.throwIfAborted()
    throw new CliError('FILE_UNREADABLE', `cannot read ${file}: ${whyNot(error)}`, EXIT.usage, '', { cause: error })
  }
}
