import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname } from 'node:path'

/** Longest that a command of the service manager may take, milliseconds: a stop takes 7 s, a slow bus some more. */
const COMMAND_TIMEOUT_MS = 30_000

/** A daemon that cannot run ends within this time of its start, milliseconds: enough to read its configuration and take its lock. */
const SETTLE_MS = 1_500

export interface CommandResult {
  /** 127 when there is no such program, 124 when it took too long. */
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

/** The machine, as far as putting a service in place touches it. */
export interface ServiceHost {
  readonly platform: NodeJS.Platform
  readonly uid: number
  readonly home: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** How this process was started: Node, its options, the script. */
  readonly node: string
  readonly nodeOptions: readonly string[]
  readonly script: string
  /** How long a started daemon is given to show that it stays, milliseconds. */
  readonly settleMs: number
  run(argv: readonly [string, ...string[]], signal: AbortSignal): Promise<CommandResult>
  exists(path: string): boolean
  /** Account that owns the path (its number where it has no name); undefined when there is nothing. */
  ownerOf(path: string): Promise<string | undefined>
  /** Names of this machine's groups. */
  groups(): Promise<readonly string[]>
  /** Whole or not at all; makes the folders above it. */
  write(path: string, content: string): Promise<void>
  remove(path: string): Promise<void>
}

export function thisHost(): ServiceHost {
  return {
    platform: process.platform,
    uid: process.getuid?.() ?? -1,
    home: homedir(),
    env: process.env,
    node: process.execPath,
    nodeOptions: process.execArgv,
    script: process.argv[1] ?? '',
    settleMs: SETTLE_MS,
    run,
    exists: existsSync,
    ownerOf,
    groups: async () => (await colonFile('/etc/group')).map(([name]) => name ?? ''),
    write: async (path, content) => {
      await mkdir(dirname(path), { recursive: true })
      const temporary = `${path}.${process.pid}.new`
      await writeFile(temporary, content, { mode: 0o644 })
      await rename(temporary, path)
    },
    remove: (path) => rm(path, { force: true }),
  }
}

function run([program, ...args]: readonly [string, ...string[]], signal: AbortSignal): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { encoding: 'utf8', signal, timeout: COMMAND_TIMEOUT_MS }, (error, stdout, stderr) => {
      if (error === null) return resolve({ status: 0, stdout, stderr })
      if (signal.aborted) return reject(signal.reason as Error)
      if (typeof error.code === 'number') return resolve({ status: error.code, stdout, stderr })
      if (error.killed === true) return resolve({ status: 124, stdout, stderr: `no answer within ${COMMAND_TIMEOUT_MS / 1_000} s` })
      resolve({ status: 127, stdout, stderr: error.message })
    })
  })
}

async function ownerOf(path: string): Promise<string | undefined> {
  try {
    const { uid } = await stat(path)
    return (await colonFile('/etc/passwd')).find(([, , number]) => number === String(uid))?.[0] ?? (await nameFromDirectory(uid))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Accounts that /etc/passwd does not list: directory services, and people on macOS. */
async function nameFromDirectory(uid: number): Promise<string> {
  const { status, stdout } = await run(['id', '-nu', String(uid)], AbortSignal.timeout(COMMAND_TIMEOUT_MS))
  return status === 0 && stdout.trim() !== '' ? stdout.trim() : String(uid)
}

/** Lines of a file such as /etc/group, as fields; none when there is no such file. */
async function colonFile(path: string): Promise<readonly (readonly string[])[]> {
  try {
    return (await readFile(path, 'utf8')).split('\n').flatMap((line) => (line === '' || line.startsWith('#') ? [] : [line.split(':')]))
  } catch {
    return []
  }
}
