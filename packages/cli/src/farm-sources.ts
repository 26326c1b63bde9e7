import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { basename, join, relative, resolve, sep } from 'node:path'
import type { Context } from './context.ts'
import { EXIT } from './exit-code.ts'
import { CliError } from './failure.ts'
import { whyNot } from './text-file.ts'

/** Bytes read at once. */
const PIECE_BYTES = 256 * 1_024

/** A text to farm. */
export interface FarmSource {
  /** What the daemon knows it by: the file's name, below a folder with the path from there. */
  readonly name: string
  /** Undefined where nobody knows before the end. */
  readonly bytes: number | undefined
  read(): AsyncIterable<Uint8Array>
}

/**
 * The texts that a command names: files as they are, of folders all `*.txt` at any depth in the order of their paths, `-` for standard input.
 * @throws CliError TEXT_UNREADABLE | TEXT_EMPTY, exit 1
 */
export async function farmSources(context: Context, paths: readonly string[]): Promise<readonly FarmSource[]> {
  const sources: FarmSource[] = []
  for (const path of paths) sources.push(...(path === '-' ? [standardInput(context)] : await sourcesAt(context, path)))
  return sources
}

function standardInput(context: Context): FarmSource {
  return { name: 'stdin', bytes: undefined, read: () => context.terminal.inputBytes(context.signal) }
}

async function sourcesAt(context: Context, path: string): Promise<readonly FarmSource[]> {
  try {
    const found = await stat(path)
    if (!found.isDirectory()) return [fileSource(context, path, basename(path), found.isFile() ? found.size : undefined)]
    const top = resolve(path)
    const entries = await readdir(top, { recursive: true, withFileTypes: true })
    const files = entries.filter((entry) => /\.txt$/i.test(entry.name) && !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name))
    if (files.length === 0) throw new CliError('TEXT_EMPTY', `${path} holds no .txt file`, EXIT.failure)
    const sources: FarmSource[] = []
    for (const file of files.toSorted(byText)) {
      const { size } = await stat(file)
      sources.push(fileSource(context, file, [basename(top), ...relative(top, file).split(sep)].join('/'), size))
    }
    return sources
  } catch (error) {
    throw error instanceof CliError ? error : unreadable(path, error)
  }
}

function fileSource(context: Context, path: string, name: string, bytes: number | undefined): FarmSource {
  return { name, bytes, read: () => pieces(context, path) }
}

async function* pieces(context: Context, path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path, { highWaterMark: PIECE_BYTES, signal: context.signal })
  } catch (error) {
    context.signal.throwIfAborted()
    throw unreadable(path, error)
  }
}

function unreadable(path: string, error: unknown): CliError {
  return new CliError('TEXT_UNREADABLE', `cannot read ${path}: ${whyNot(error)}`, EXIT.failure, '', { cause: error })
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
