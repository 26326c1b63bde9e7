import { excerpt } from './grade.ts'
import type { HostEnvironment } from './host-environment.ts'

/** Lines of a minute that reach the log; the rest is counted. */
const LINES_PER_MINUTE = 20
const MINUTE_MS = 60_000
/** Characters of a line that reach it. */
const LINE_LENGTH = 500

/** A program's standard error in the daemon's log: bounded, however much it writes. Bytes past the limits are dropped as they come. */
export class ChildLog {
  readonly #env: Pick<HostEnvironment, 'log' | 'now'>
  readonly #fields: object
  #line = ''
  #minute = 0
  #written = 0
  #dropped = 0
  #last = ''

  /** @param fields - what else the log says of each line: which program, which process */
  constructor(fields: object, env: Pick<HostEnvironment, 'log' | 'now'>) {
    this.#fields = fields
    this.#env = env
  }

  /** The last line that said anything: often why a program ended. */
  get last(): string {
    return this.#last
  }

  push(chunk: Buffer): void {
    const [first, ...more] = chunk.toString('utf8').split('\n')
    this.#extend(first!)
    for (const piece of more) {
      this.end()
      this.#extend(piece)
    }
  }

  /** The line so far is a whole one. */
  end(): void {
    const text = excerpt(this.#line, LINE_LENGTH)
    this.#line = ''
    if (text === '') return
    this.#last = text
    const minute = Math.floor(this.#env.now() / MINUTE_MS)
    if (minute !== this.#minute) {
      if (this.#dropped > 0) this.#env.log.warn({ ...this.#fields, lines: this.#dropped }, 'more lines of the host program were left out')
      this.#minute = minute
      this.#written = 0
      this.#dropped = 0
    }
    if (this.#written >= LINES_PER_MINUTE) {
      this.#dropped++
      return
    }
    this.#written++
    this.#env.log.info({ ...this.#fields, text }, 'host program')
  }

  #extend(piece: string): void {
    if (this.#line.length < LINE_LENGTH * 4) this.#line += piece.slice(0, LINE_LENGTH * 4)
  }
}
