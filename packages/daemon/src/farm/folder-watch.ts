import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { basename, join, relative, sep } from 'node:path'
import type { Logger } from 'pino'
import type { FarmDocument, StatusDocument } from '../control/api.ts'
import { DaemonError } from '../daemon-error.ts'
import { pause } from '../pause.ts'
import type { FarmLedger } from './ledger.ts'
import type { TakenText, TextOptions } from './take-text.ts'

/** Between two looks. Looking costs at most a hundredth of the time, however many files there are. */
const LOOK_MS = 5_000
const LOOK_SHARE = 100
/** A file is taken once size and time stayed the same for this long: whoever writes it is done, or rests. */
const SETTLE_MS = 2_000
/** Files wait outside while so much text waits inside: a folder may be larger than the disk has room for. */
const MAX_WAITING_BYTES = 256 * 2 ** 20
const READ_BYTES = 2 ** 18
const STATS_AT_ONCE = 64
/** Files named in the warnings of a status. */
const MAX_NAMED = 3

export interface FolderParts {
  readonly ledger: FarmLedger
  readonly take: (options: TextOptions, source: AsyncIterable<Uint8Array>) => Promise<TakenText>
  readonly log: Logger
  readonly signal: AbortSignal
  /** Milliseconds since 1970, to be compared with the files' times. */
  readonly now: () => number
}

interface Fault {
  readonly file: string
  readonly message: string
  readonly hint: string
}

interface Found {
  readonly path: string
  /** Changes when the file does. */
  readonly stamp: string
  readonly changedAt: number
}

/**
 * Watches a folder: text files (`*.txt`, at any depth, in the order of their paths) that are new, changed or longer than before are taken. It looks again
 * and again rather than being told, which works on every file system. A file that was taken is known by its bytes: renamed or copied, it is not farmed again.
 */
export class FolderWatch {
  readonly #dir: string
  readonly #parts: FolderParts
  /** Stamps at the last look, of files that were not taken then. */
  #seen = new Map<string, string>()
  #faults: readonly Fault[] = []
  #folderFault: Fault | undefined
  #files = 0
  #waiting = 0

  constructor(dir: string, parts: FolderParts) {
    this.#dir = dir
    this.#parts = parts
  }

  get report(): FarmDocument['dir'] {
    return { path: this.#dir, files: this.#files, waiting: this.#waiting, errors: this.#allFaults() }
  }

  warnings(): StatusDocument['warnings'] {
    const faults = this.#allFaults()
    const named = faults.slice(0, MAX_NAMED).map(({ message, hint }) => ({ message, hint }))
    const more = faults.length - named.length
    return more > 0 ? [...named, { message: `${more} more files of ${this.#dir} cannot be farmed`, hint: 'sgsd farm status' }] : named
  }

  /** Looks until the daemon stops. */
  async run(): Promise<void> {
    const { signal } = this.#parts
    while (!signal.aborted) {
      const began = performance.now()
      const unsettled = await this.look()
      const took = performance.now() - began
      await pause(Math.max(unsettled ? SETTLE_MS : LOOK_MS, LOOK_SHARE * took), signal)
    }
  }

  /** Takes what is there to take. @returns whether files are still changing */
  async look(): Promise<boolean> {
    const { ledger, signal } = this.#parts
    const found = await this.#find()
    if (found === undefined) return false
    const faults: Fault[] = []
    const seen = new Map<string, string>()
    let waiting = 0
    for (const file of found) {
      if (signal.aborted) return false
      const name = this.#nameOf(file.path)
      const known = ledger.file(file.path)
      if (known?.stamp === file.stamp) {
        if (known.error !== '') faults.push(asFault(name, known.error))
        continue
      }
      waiting += 1
      const settled = this.#seen.get(file.path) === file.stamp && Math.abs(this.#parts.now() - file.changedAt) >= SETTLE_MS
      if (!settled || ledger.totals().waitingBytes > MAX_WAITING_BYTES) {
        seen.set(file.path, file.stamp)
        continue
      }
      const fault = await this.#take(file, name)
      if (fault === undefined) waiting -= 1
      else faults.push(fault)
    }
    this.#files = found.length
    this.#waiting = waiting
    this.#faults = faults
    this.#seen = seen
    return seen.size > 0
  }

  /** @returns what kept it from being taken */
  async #take({ path, stamp }: Found, name: string): Promise<Fault | undefined> {
    const { ledger, take, log } = this.#parts
    const record = (text: number, error: string): void => ledger.setFile(path, { stamp, text, error })
    try {
      const { text, taken } = await take({ name }, createReadStream(path, { highWaterMark: READ_BYTES }))
      if (taken > 0) log.info({ file: name, lines: taken }, 'text taken from the folder')
      // one that changed meanwhile is looked at again, and goes on behind what was read
      if ((await stamped(path))?.stamp === stamp) record(text.id, '')
      return undefined
    } catch (error) {
      const { message, code, hint = '' } = error as Error & { code?: string; hint?: string }
      const fault: Fault = { file: name, message, hint: hint === '' ? 'it is tried again' : hint }
      // the file's own fault stays until the file changes; everything else is tried again
      if (error instanceof DaemonError && code !== undefined && FILE_FAULTS.has(code)) record(0, JSON.stringify([message, hint]))
      log.warn({ file: name, error: message }, 'a file of the folder cannot be farmed')
      return fault
    }
  }

  /** Text files with their stamps, ordered by path; undefined when the folder cannot be read. */
  async #find(): Promise<readonly Found[] | undefined> {
    try {
      const entries = await readdir(this.#dir, { recursive: true, withFileTypes: true })
      this.#folderFault = undefined
      const paths = entries
        .filter((entry) => /\.txt$/i.test(entry.name) && (entry.isFile() || entry.isSymbolicLink()))
        .map((entry) => join(entry.parentPath, entry.name))
        .toSorted(byText)
      const found: Found[] = []
      for (let i = 0; i < paths.length; i += STATS_AT_ONCE) {
        const files = await Promise.all(paths.slice(i, i + STATS_AT_ONCE).map(stamped))
        found.push(...files.filter((file) => file !== undefined))
      }
      return found
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      const why = code === 'ENOENT' ? 'there is no such folder' : message
      this.#folderFault = { file: this.#dir, message: `farm.dir ${this.#dir} cannot be read: ${why}`, hint: 'sgsd config set farm.dir names another' }
      return undefined
    }
  }

  #nameOf(path: string): string {
    return [basename(this.#dir), ...relative(this.#dir, path).split(sep)].join('/')
  }

  #allFaults(): readonly Fault[] {
    return this.#folderFault === undefined ? this.#faults : [this.#folderFault, ...this.#faults]
  }
}

/** Refusals that only another content of the file can mend. */
const FILE_FAULTS: ReadonlySet<string> = new Set(['TEXT_NOT_UTF8', 'TEXT_LINE_TOO_LONG', 'TEXT_EMPTY'])

function asFault(file: string, error: string): Fault {
  const [message, hint] = JSON.parse(error) as [string, string]
  return { file, message, hint }
}

/** Undefined for what is no file, or no more. */
async function stamped(path: string): Promise<Found | undefined> {
  const found = await stat(path, { bigint: true }).catch(() => undefined)
  if (found?.isFile() !== true) return undefined
  return { path, stamp: `${found.size}:${found.mtimeNs}`, changedAt: Number(found.mtimeMs) }
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
