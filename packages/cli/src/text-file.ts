import { readFile, writeFile } from 'node:fs/promises'
import type { Context } from './context.ts'
import { EXIT } from './exit-code.ts'
import { CliError } from './failure.ts'

/**
 * The whole of a small text file that a command was given by name; `-` is standard input.
 * @throws CliError FILE_UNREADABLE, exit 2: the name was bad input
 */
export async function readText(context: Context, file: string): Promise<string> {
  if (file === '-') return context.terminal.readInput()
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file, { signal: context.signal }))
  } catch (error) {
    context.signal.throwIfAborted()
    throw new CliError('FILE_UNREADABLE', `cannot read ${file}: ${whyNot(error)}`, EXIT.usage, '', { cause: error })
  }
}

/** @throws CliError FILE_UNWRITABLE, exit 1 */
export async function writeText(file: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
  try {
    await writeFile(file, content, { mode })
  } catch (error) {
    throw new CliError('FILE_UNWRITABLE', `cannot write ${file}: ${whyNot(error)}`, EXIT.failure, '', { cause: error })
  }
}

/** Why a file could not be read or written, in words. */
export function whyNot(error: unknown): string {
  if (error instanceof TypeError) return 'it is not UTF-8'
  switch ((error as NodeJS.ErrnoException).code ?? '') {
    case 'ENOENT':
      return 'there is no such file or folder'
    case 'EISDIR':
      return 'it is a folder'
    case 'EACCES':
    case 'EPERM':
      return 'it is not permitted'
    default:
      return error instanceof Error ? error.message : String(error)
  }
}
