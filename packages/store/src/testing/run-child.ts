import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A real process that runs one of the files beside this one. */
export interface Child {
  readonly process: ChildProcess
  /** Whole lines that it has written so far. */
  readonly lines: readonly string[]
  /** Resolves with the n-th line (from 0). @throws Error with what it wrote to stderr, when it ends before */
  line(n: number): Promise<string>
  /** SIGKILL, and wait until it is gone and its output is read. */
  kill(): Promise<void>
}

export function runChild(file: string, ...args: readonly string[]): Child {
  const path = fileURLToPath(new URL(file, import.meta.url))
  const child = spawn(process.execPath, ['--conditions=sgsd-source', '--disable-warning=ExperimentalWarning', path, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // Halves the start of a process; dozens of them start.
    env: { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), 'sgsd-compile-cache') },
  })
  const lines: string[] = []
  const waiting: (() => void)[] = []
  const wake = (): void => waiting.splice(0).forEach((resume) => resume())
  let complaint = ''
  let text = ''
  child.stderr.on('data', (piece: Buffer) => (complaint += piece.toString()))
  // By hand, not by readline: a last line without its end was not acknowledged.
  child.stdout.on('data', (piece: Buffer) => {
    const parts = (text + piece.toString()).split('\n')
    text = parts.pop()!
    lines.push(...parts)
    wake()
  })
  const closed = once(child, 'close').then(wake)
  return {
    process: child,
    lines,
    async line(n: number): Promise<string> {
      while (lines.length <= n) {
        if (child.exitCode !== null || child.signalCode !== null) {
          await closed
          if (lines.length <= n) throw new Error(`the child ended: ${complaint}`)
        } else {
          await new Promise<void>((resume) => waiting.push(resume))
        }
      }
      return lines[n]!
    },
    async kill(): Promise<void> {
      child.kill('SIGKILL')
      await closed
    },
  }
}
