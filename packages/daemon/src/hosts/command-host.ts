import { Child, type ChildEnd } from './child-process.ts'
import { checkGrade, itemDocument, shown } from './grade.ts'
import type { CommandConfig } from './host-config.ts'
import type { HostEnvironment } from './host-environment.ts'
import { HostError } from './host-error.ts'
import type { Grade, Host, HostItem } from './port.ts'
import { backoffMs } from './retry.ts'

/** A program of one's own, started at the first call and kept: an item a line on its standard input, a grade a line on its standard output. */
export function openCommandHost(config: CommandConfig, env: HostEnvironment): Host {
  return new CommandHost(config, env)
}

class CommandHost implements Host {
  readonly kind = 'command'
  readonly batch: number
  readonly #config: CommandConfig
  readonly #env: HostEnvironment
  readonly #host: string
  readonly #closing = new AbortController()
  readonly #children = new Set<Promise<void>>()
  #child: Child | undefined
  /** Runs that failed since the last good call, why the last one did, and when the next may begin (monotonic ms). */
  #failures = 0
  #lastEnd: ChildEnd | undefined
  #nextStartAt = 0
  /** The call before; a program answers one at a time. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(config: CommandConfig, env: HostEnvironment) {
    this.batch = config.batch
    this.#config = config
    this.#env = env
    this.#host = `command host ${config.command}`
  }

  async grade(items: readonly HostItem[], signal: AbortSignal): Promise<readonly (Grade | undefined)[]> {
    const ending = AbortSignal.any([signal, this.#closing.signal])
    ending.throwIfAborted()
    if (items.length === 0) return []
    const mine = this.#turn.then(async () => await this.#ask(items, ending))
    this.#turn = mine.catch(() => {})
    return await unlessAborted(mine, ending)
  }

  /** Ends the program and waits until it is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort()
    await this.#turn
    if (this.#child !== undefined) this.#stop(this.#child, { cause: 'ended', reason: 'closed' })
    await Promise.all(this.#children)
  }

  async #ask(items: readonly HostItem[], ending: AbortSignal): Promise<readonly (Grade | undefined)[]> {
    ending.throwIfAborted()
    const child = this.#running()
    const deadline = AbortSignal.timeout(this.#config.timeoutMs)
    const stopEarly = (): void => {
      const reason = ending.aborted ? 'told to stop' : `no ${items.length} grades within ${this.#config.timeoutMs} ms`
      this.#stop(child, { cause: 'ended', reason })
    }
    const over = AbortSignal.any([ending, deadline])
    over.addEventListener('abort', stopEarly, { once: true })
    let lines: readonly string[] | undefined
    try {
      lines = await child.ask(items.map((item) => JSON.stringify(itemDocument(item))))
    } finally {
      over.removeEventListener('abort', stopEarly)
    }
    ending.throwIfAborted()
    if (lines === undefined) throw this.#failure(child, child.ended!)
    const grades = lines.map((line, i) => this.#gradeOf(child, line, i, items.length))
    this.#failures = 0
    return grades
  }

  /** The program that runs, or a new one when it is time. */
  #running(): Child {
    if (this.#child !== undefined) {
      const { ended } = this.#child
      if (ended === undefined) return this.#child
      // It ended between two calls.
      throw this.#failure(this.#child, ended)
    }
    const early = this.#nextStartAt - performance.now()
    if (early > 0) {
      const reason = `${this.#lastEnd?.reason}; it is started again in ${Math.ceil(early / 1_000)} s`
      throw new HostError('HOST_DOWN', { host: this.#host, reason, retryAfterMs: early })
    }
    const child = new Child(this.#config.command, this.#config.args, this.#env)
    this.#env.log.info({ command: this.#config.command, pid: child.pid }, 'host program started')
    this.#child = child
    return child
  }

  #gradeOf(child: Child, line: string, i: number, count: number): Grade | undefined {
    const wrong = (reason: string): HostError => this.#failure(child, { cause: 'wrong', reason: `line ${i + 1} of ${count}: ${reason}` })
    let value: unknown
    try {
      value = JSON.parse(line)
    } catch {
      throw wrong(`not JSON: ${shown(line)}`)
    }
    const verdict = checkGrade(value)
    if (!verdict.ok) throw wrong(verdict.reason)
    return verdict.grade
  }

  /** Ends this run, sets the time of the next, and says what happened. */
  #failure(child: Child, end: ChildEnd): HostError {
    this.#stop(child, end)
    this.#failures++
    this.#lastEnd = end
    const wait = backoffMs(this.#failures, this.#env.random())
    this.#nextStartAt = performance.now() + wait
    const fault = { host: this.#host, reason: end.reason }
    switch (end.cause) {
      case 'wrong':
        return new HostError('HOST_WRONG', fault)
      case 'unstartable':
        return new HostError('HOST_REFUSED', { ...fault, remedy: 'name an executable file, or a program in the PATH that the daemon sees' })
      case 'ended':
        return new HostError('HOST_DOWN', { ...fault, retryAfterMs: wait })
    }
  }

  #stop(child: Child, end: ChildEnd): void {
    if (this.#child === child) this.#child = undefined
    const stopped = child.stop(end).finally(() => this.#children.delete(stopped))
    this.#children.add(stopped)
  }
}

/** Settles with the work, or at once with the signal's reason. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const stop = (): void => reject(signal.reason)
  signal.addEventListener('abort', stop, { once: true })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
