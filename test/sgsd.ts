/** The command line as real processes, for tests of the whole. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import type { StatusDocument } from '../packages/daemon/src/control/api.ts'
import { openControl } from '../packages/daemon/src/control/client.ts'

const MAIN = join(import.meta.dirname, '../packages/cli/src/main.ts')
const FLAGS = ['--conditions=sgsd-source', '--disable-warning=ExperimentalWarning']
/** No command of a test takes longer, on two busy cores. */
const RUN_DEADLINE_MS = 45_000

export interface Ran {
  readonly code: number | null
  readonly out: string
  readonly err: string
  readonly ms: number
}

function start(words: readonly string[], env: Readonly<Record<string, string>> = {}, script: string = MAIN): ChildProcess {
  const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(SGSD_|FORCE_COLOR|NO_COLOR|NODE_OPTIONS|VITEST)/.test(name)))
  return spawn(process.execPath, [...FLAGS, script, ...words], { stdio: ['pipe', 'pipe', 'pipe'], env: { ...clean, ...env } })
}

export interface RunOptions {
  /** What stands on its standard input. */
  readonly input?: string
  readonly env?: Readonly<Record<string, string>>
  readonly deadlineMs?: number
}

/** Runs one command to its end. */
export async function sgsd(words: readonly string[], { input = '', env = {}, deadlineMs = RUN_DEADLINE_MS }: RunOptions = {}): Promise<Ran> {
  const started = performance.now()
  const child = start(words, env)
  let out = ''
  let err = ''
  child.stdout!.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (err += text))
  child.stdin!.on('error', () => {}).end(input)
  const timer = setTimeout(() => child.kill('SIGKILL'), deadlineMs)
  const [code] = (await once(child, 'close')) as [number | null]
  clearTimeout(timer)
  return { code, out, err, ms: performance.now() - started }
}

/** A command that must succeed, and its JSON document. */
export async function sgsdJson<T>(words: readonly string[], input = ''): Promise<T> {
  const ran = await sgsd([...words, '--json'], { input })
  if (ran.code !== 0) throw new Error(`sgsd ${words.join(' ')} exited ${ran.code}: ${ran.err}`)
  return JSON.parse(ran.out) as T
}

export interface Daemon {
  readonly child: ChildProcess
  readonly multiaddrs: readonly string[]
  /** Ends the process without a word. */
  kill(): Promise<void>
}

const running = new Set<ChildProcess>()

/** `sgsd up`, ready. @throws Error with what it wrote when it ends instead */
export function up(dir: string, ...flags: string[]): Promise<Daemon> {
  // its standard input is held by this process, so that it ends with the test whatever happens
  return ready(start(['up', '--json', '--exit-with-stdin', '--no-mdns', '--no-tailscale', '--data-dir', dir, ...flags]), dir)
}

/** Another program that runs a daemon on a directory and says so in the same way. */
export function upOther(script: string, dir: string): Promise<Daemon> {
  return ready(start([dir], {}, script), dir)
}

async function ready(child: ChildProcess, dir: string): Promise<Daemon> {
  running.add(child)
  let err = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (err = (err + text).slice(-4_000)))
  const exited = once(child, 'exit').then(() => {
    running.delete(child)
    throw new Error(`the daemon on ${dir} ended: ${err}`)
  })
  exited.catch(() => {})
  const [line] = (await Promise.race([once(createInterface(child.stdout!), 'line'), exited])) as [string]
  const { multiaddrs } = JSON.parse(line) as { multiaddrs: string[] }
  return {
    child,
    multiaddrs,
    kill: async () => {
      child.kill('SIGKILL')
      await exited.catch(() => {})
    },
  }
}

/** Ends every daemon that a test left running. */
export async function killAll(): Promise<void> {
  await Promise.all(
    [...running].map(async (child) => {
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    }),
  )
}

/** Asks for the status until it is as wanted. @throws Error with the last one when it never is */
export async function statusWhen(dir: string, wanted: (status: StatusDocument) => boolean, deadlineMs = 60_000): Promise<StatusDocument> {
  const giveUpAt = performance.now() + deadlineMs
  for (;;) {
    const status = await openControl(dir).get<StatusDocument>('/v1/status')
    if (wanted(status)) return status
    if (performance.now() > giveUpAt) throw new Error(`not within ${deadlineMs} ms: ${JSON.stringify({ ...status, peers: status.peers.length })}`)
    await pause(300)
  }
}
