/** Processes that commit layers until something ends them, and what is then on the disk. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BlockId } from '../packages/consensus/src/index.ts'
import { openStore } from '../packages/store/src/index.ts'

const COMMITS = join(import.meta.dirname, 'store-commits.ts')
const FLAGS = ['--conditions=sgsd-source', '--disable-warning=ExperimentalWarning']

export interface Life {
  /** Newest layer that was acknowledged; 0: none. */
  readonly last: number
  /** `done`: it made all its layers; else `killed`, or the code of the StoreError that ended it. */
  readonly end: string
}

export interface Examined {
  /** An acknowledged layer is not there. */
  readonly headsLost: boolean
  /** Blocks whose bytes are not theirs. */
  readonly damaged: readonly BlockId[]
  /** Layers that are named and not whole. */
  readonly torn: readonly number[]
  /** Temporary files after opening. */
  readonly leftOver: readonly string[]
}

export const WHOLE: Examined = { headsLost: false, damaged: [], torn: [], leftOver: [] }

/** Not every machine has strace, and a container may forbid it. */
export const canTrace: boolean =
  spawnSync('strace', ['-f', '-qq', '-o', '/dev/null', '-e', 'trace=fsync', process.execPath, '--version']).status === 0

/** The wrapper that does something to system calls. @param calls - `fsync`, or several with commas @param fault - `error=ENOSPC:when=3` */
export function traced(calls: string, fault: string): readonly string[] {
  return ['strace', '-f', '-qq', '-o', '/dev/null', '-e', `trace=${calls}`, '-e', `inject=${calls}:${fault}`]
}

/** A process that commits layers. @param wrapper - a command that runs it */
export function start(dir: string, wrapper: readonly string[], layers: number): ChildProcess {
  const [command, ...args] = [...wrapper, process.execPath, ...FLAGS, COMMITS, dir, String(layers)]
  return spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '', NODE_COMPILE_CACHE: join(tmpdir(), 'sgsd-compile-cache') },
  })
}

/** Until the process has ended. @throws Error where that was its own fault */
export async function life(child: ChildProcess): Promise<Life> {
  let out = ''
  let err = ''
  child.stdout!.on('data', (piece: Buffer) => (out += piece.toString()))
  child.stderr!.on('data', (piece: Buffer) => (err += piece.toString()))
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  const refused = /^refused (\w+)$/m.exec(err)?.[1]
  if (code !== 0 && signal !== 'SIGKILL' && refused === undefined) throw new Error(`the process ended with ${code}: ${err}`)
  // A last line without its end was not acknowledged.
  return { last: Number(out.split('\n').slice(0, -1).at(-1) ?? 0), end: signal === 'SIGKILL' ? 'killed' : (refused ?? 'done') }
}

/** What a reopened store says of what was acknowledged before. */
export async function examine(dir: string, last: number): Promise<Examined> {
  await using store = await openStore(dir)
  const { damaged } = await store.blocks.scrub()
  const torn: number[] = []
  let newest = 0
  for (const { key, id } of store.items.items()) {
    newest = Number(key)
    const manifest = await store.blocks.get(id as string as BlockId)
    const content =
      manifest === undefined ? undefined : (JSON.parse(Buffer.from(manifest).toString()) as { readonly content: readonly BlockId[] }).content
    if (content?.every((block) => store.blocks.has(block)) !== true) torn.push(newest)
  }
  return { headsLost: newest < last, damaged, torn, leftOver: readdirSync(join(dir, 'tmp')) }
}
