import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { pause } from '../pause.ts'
import { ChildLog } from './child-log.ts'
import { MAX_GRADE_BYTES } from './grade.ts'
import type { HostEnvironment } from './host-environment.ts'
import { LineReader } from './line-reader.ts'

/** A program that is told to end gets this long before it is killed, ms. */
const GRACE_MS = 1_000
/** What a killed program's children may keep its pipes open for. */
const PIPES_MS = 200
/** Every program but Windows' can be ended together with what it started. */
const GROUPS = process.platform !== 'win32'
/** Errors of a start that repeat until a person does something. */
const UNSTARTABLE = new Set(['ENOENT', 'EACCES', 'EPERM', 'ENOEXEC', 'ENOTDIR', 'EISDIR', 'ELOOP', 'ENAMETOOLONG', 'EINVAL'])

/** Why a program answers no more. */
export interface ChildEnd {
  /** A fault in what it wrote, its end (or ours of it), or a start that needs a person. */
  readonly cause: 'wrong' | 'ended' | 'unstartable'
  readonly reason: string
}

/** One run of the program: lines in, lines out, and one end. */
export class Child {
  readonly #process: ChildProcessByStdio<Writable, Readable, Readable>
  readonly #log: ChildLog
  readonly #reader = new LineReader(MAX_GRADE_BYTES)
  readonly #gone: Promise<void>
  #ended: ChildEnd | undefined
  #stopped: Promise<void> | undefined
  #exited = false
  #wanted = 0
  #lines: string[] = []
  #settle: () => void = () => {}

  constructor(command: string, args: readonly string[], env: Pick<HostEnvironment, 'root' | 'variables' | 'log' | 'now'>) {
    this.#process = spawn(command, args, {
      cwd: env.root,
      env: { ...env.variables },
      stdio: ['pipe', 'pipe', 'pipe'],
      shell: false,
      detached: GROUPS,
      windowsHide: true,
    })
    this.#log = new ChildLog({ command, pid: this.#process.pid }, env)
    this.#gone = this.#watch(command)
  }

  /** Undefined while it can be asked. */
  get ended(): ChildEnd | undefined {
    return this.#ended
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  /**
   * Writes lines and waits for as many. One call at a time.
   * @returns the lines, or undefined when the program ended (or was stopped) before
   */
  async ask(lines: readonly string[]): Promise<readonly string[] | undefined> {
    if (this.#ended !== undefined) return undefined
    this.#wanted = lines.length
    this.#lines = []
    const settled = new Promise<void>((resolve) => (this.#settle = resolve))
    this.#process.stdin.write(lines.map((line) => `${line}\n`).join(''))
    await settled
    this.#settle = () => {}
    return this.#ended === undefined ? this.#lines : undefined
  }

  /** Ends it and everything that it started: politely, then not. Resolves when it is gone; it cannot be asked from now on. */
  async stop(end: ChildEnd): Promise<void> {
    this.#finish(end)
    this.#stopped ??= this.#stop()
    await this.#stopped
  }

  async #stop(): Promise<void> {
    this.#process.stdin.destroy()
    this.#signal('SIGTERM')
    const waited = new AbortController()
    await Promise.race([this.#gone, pause(GRACE_MS, waited.signal)])
    waited.abort()
    this.#signal('SIGKILL')
    await this.#gone
  }

  async #watch(command: string): Promise<void> {
    const { stdin, stdout, stderr } = this.#process
    // Broken pipes: its end says why.
    for (const stream of [stdin, stdout, stderr]) stream.on('error', () => {})
    stdout.on('data', (chunk: Buffer) => this.#read(chunk))
    stderr.on('data', (chunk: Buffer) => this.#log.push(chunk))
    const closed = new Promise<void>((resolve) => void this.#process.once('close', resolve))
    const exited = new Promise<readonly [number | null, NodeJS.Signals | null]>((resolve) => {
      this.#process.once('exit', (code, signal) => {
        // What it left behind goes too. Only now: later its number may be another's.
        this.#signal('SIGKILL')
        this.#exited = true
        resolve([code, signal])
      })
    })
    this.#process.on('error', (error: NodeJS.ErrnoException) => {
      if (this.#process.pid !== undefined) return
      const cause = UNSTARTABLE.has(error.code ?? '') ? 'unstartable' : 'ended'
      this.#finish({ cause, reason: `${command} does not start (${error.code ?? error.message})` })
    })
    if (this.#process.pid === undefined) return
    const [code, signal] = await exited
    const waited = new AbortController()
    await Promise.race([closed, pause(PIPES_MS, waited.signal)])
    waited.abort()
    for (const stream of [stdin, stdout, stderr]) stream.destroy()
    this.#log.end()
    const words = this.#log.last === '' ? '' : `, and said last: ${this.#log.last}`
    this.#finish({ cause: 'ended', reason: `${command} ended ${signal === null ? `with code ${code}` : `by ${signal}`}${words}` })
  }

  #read(chunk: Buffer): void {
    if (this.#ended !== undefined) return
    try {
      for (const line of this.#reader.push(chunk)) {
        if (this.#lines.length >= this.#wanted) throw new RangeError('a line that nobody asked for')
        this.#lines.push(line)
      }
    } catch (error) {
      // Which line answers what is no longer known: this run is over.
      void this.stop({ cause: 'wrong', reason: (error as Error).message })
      return
    }
    if (this.#lines.length === this.#wanted) this.#settle()
  }

  #finish(end: ChildEnd): void {
    this.#ended ??= end
    this.#settle()
  }

  #signal(name: NodeJS.Signals): void {
    const { pid } = this.#process
    if (pid === undefined || this.#exited) return
    try {
      if (GROUPS) process.kill(-pid, name)
      else this.#process.kill(name)
    } catch {
      // gone already
    }
  }
}
