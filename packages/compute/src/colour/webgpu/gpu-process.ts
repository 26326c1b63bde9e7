import { type ChildProcess, fork } from 'node:child_process'
import type { FromGpu, ToGpu } from './gpu-messages.ts'

/** Bytes of standard error that are kept: the loader's message stands in the first lines. */
const MAX_STDERR_CHARS = 16_384

/** The process that holds the GPU, as its owner sees it. */
export class GpuProcess {
  readonly #child: ChildProcess
  #stderr = ''
  /** Why there will be no more messages. */
  #ended: string | undefined
  /** Came before somebody asked. */
  readonly #messages: FromGpu[] = []
  #waiting: PromiseWithResolvers<FromGpu> | undefined

  /** @param module - what it runs; tests put a misbehaving one here */
  constructor(module: URL) {
    this.#child = fork(module, {
      execArgv: module.pathname.endsWith('.ts') ? ['--conditions=sgsd-source', '--disable-warning=ExperimentalWarning'] : [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      serialization: 'advanced',
    })
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      if (this.#stderr.length < MAX_STDERR_CHARS) this.#stderr += text
    })
    this.#child.on('message', (message) => this.#receive(message as FromGpu))
    this.#child.once('error', (error) => this.#end(error.message))
    this.#child.once('close', (code, signal) => this.#end(`its process died (${signal ?? `exit code ${code}`})`))
  }

  /** What the driver and its loader printed. */
  get stderr(): string {
    return this.#stderr
  }

  send(call: ToGpu): void {
    // a process that is gone says so by its end
    this.#child.send(call, () => undefined)
  }

  /**
   * The next message.
   * @throws Error when the process died, or says nothing for so long: it is killed then
   */
  async next(deadlineMs: number): Promise<FromGpu> {
    const early = this.#messages.shift()
    if (early !== undefined) return early
    if (this.#ended !== undefined) throw new Error(this.#ended)
    const waiting = Promise.withResolvers<FromGpu>()
    this.#waiting = waiting
    const deadline = setTimeout(() => {
      this.#end(`its driver hangs: no answer within ${deadlineMs / 1000} s`)
      this.kill()
    }, deadlineMs)
    try {
      return await waiting.promise
    } finally {
      clearTimeout(deadline)
      this.#waiting = undefined
    }
  }

  /** Ends it at once. The system takes the GPU back from a process however it ends. */
  kill(): void {
    this.#end('it was closed')
    this.#child.kill('SIGKILL')
  }

  #receive(message: FromGpu): void {
    if (this.#waiting === undefined) this.#messages.push(message)
    else this.#waiting.resolve(message)
    this.#waiting = undefined
  }

  #end(why: string): void {
    this.#ended ??= why
    this.#waiting?.reject(new Error(this.#ended))
  }
}
