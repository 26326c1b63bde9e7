import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { ControlClient } from '../edges.ts'
import { EXIT } from '../exit-code.ts'
import { CliError } from '../failure.ts'

/** The command line's entry, next to this folder, as source or built. */
const MAIN = fileURLToPath(new URL(`../main${extname(import.meta.filename)}`, import.meta.url))
/** A graceful stop takes 5 s at most. */
const STOP_DEADLINE_MS = 7_000
/** Between two tries to reach a starting daemon. */
const READY_POLL_MS = 150
const LOG_TAIL_LINES = 3

/** One daemon of the demo: `sgsd up` as a process of its own. */
export class NodeProcess {
  readonly name: string
  readonly dir: string
  readonly control: ControlClient
  readonly #keep: boolean
  #child: ChildProcess | undefined
  #ended = true

  /** @param keep - the process may outlive this one */
  constructor(name: string, dir: string, control: ControlClient, keep: boolean) {
    this.name = name
    this.dir = dir
    this.control = control
    this.#keep = keep
  }

  get log(): string {
    return join(this.dir, 'daemon.log')
  }

  /** Ended without having been told to. */
  get lost(): boolean {
    return this.#child !== undefined && this.#ended
  }

  /** Starts the process; unless kept it ends with its standard input, so that it cannot outlive the demo even when that is killed. */
  start(): void {
    const log = openSync(this.log, 'a')
    const flags = ['up', '--json', '--data-dir', this.dir, ...(this.#keep ? [] : ['--exit-with-stdin'])]
    const child = spawn(process.execPath, [...process.execArgv, MAIN, ...flags], {
      stdio: [this.#keep ? 'ignore' : 'pipe', log, log],
      // a group of its own: Ctrl-C reaches the demo, and the demo stops its nodes
      detached: true,
    })
    closeSync(log)
    this.#child = child
    this.#ended = false
    child.once('exit', () => (this.#ended = true))
    child.once('error', () => (this.#ended = true))
    child.stdin?.on('error', () => {})
    if (this.#keep) child.unref()
  }

  /**
   * Waits until the daemon answers on its control socket.
   * @throws CliError NODE_FAILED with the end of its log when the process ends first
   */
  async ready(signal: AbortSignal): Promise<void> {
    for (;;) {
      if (this.#ended) throw await this.failure()
      try {
        await this.control.get('/v1/status', AbortSignal.any([signal, AbortSignal.timeout(2_000)]))
        return
      } catch {
        signal.throwIfAborted()
        await pause(READY_POLL_MS, undefined, { signal })
      }
    }
  }

  /** SIGKILL, and nothing before it. */
  async kill(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined || this.#ended) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }

  /** Asks the daemon to stop, and insists when it does not. */
  async stop(): Promise<void> {
    const child = this.#child
    if (child === undefined || this.#ended) return
    const gone = once(child, 'exit')
    child.kill('SIGTERM')
    const stopped = await Promise.race([gone.then(() => true), pause(STOP_DEADLINE_MS, false, { ref: false })])
    if (!stopped) await this.kill()
    this.#child = undefined
  }

  async failure(): Promise<CliError> {
    const log = await readFile(this.log, 'utf8').catch(() => '')
    const tail = log.trim().split('\n').slice(-LOG_TAIL_LINES).join(' | ')
    return new CliError('NODE_FAILED', `${this.name} ended by itself: ${tail === '' ? 'it wrote nothing' : tail}`, EXIT.disagreement)
  }
}
