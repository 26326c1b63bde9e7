import { type ChildProcess, spawn } from 'node:child_process'
import { GitError } from './git-error.ts'

/** Bytes that git may print unless a call says otherwise. */
const MAX_OUTPUT_BYTES = 2 ** 20
/** Of what it says on standard error, the end is kept: there the reason stands. */
const MAX_SAID_BYTES = 8_192
/** A local step; nobody waits longer for a disk. */
const LOCAL_TIMEOUT_MS = 60_000

/** Settings that no repository or user may override here: no hooks, no other transports, nothing in the background. */
const SETTINGS: readonly string[] = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.logAllRefUpdates=false',
  'gc.auto=0',
  'maintenance.auto=false',
  'commit.gpgSign=false',
  'push.gpgSign=false',
  'push.recurseSubmodules=no',
  'fetch.recurseSubmodules=no',
  'protocol.allow=never',
  'protocol.file.allow=always',
  'protocol.ssh.allow=always',
  'protocol.https.allow=always',
]

/** Of git's own environment these pass: how to reach a server. The rest could point it at another repository. */
const PASSED = /^GIT_(SSH|SSH_COMMAND|SSH_VARIANT|SSL_\w+|HTTP_\w+|PROXY_COMMAND|CONFIG_(GLOBAL|SYSTEM|NOSYSTEM)|EXEC_PATH)$/

export interface GitOptions {
  readonly input?: Uint8Array | string
  /** Bytes that it may print. */
  readonly most?: number
  readonly timeoutMs?: number
  readonly env?: Readonly<Record<string, string>>
  /** Looked at a few times a second; a reason ends the program. */
  readonly watch?: () => Promise<GitError | undefined>
}

export interface GitRan {
  readonly code: number
  readonly out: Buffer
  /** The end of standard error. */
  readonly said: string
}

const WATCH_MS = 250

/** The `git` program on one bare repository: an argument list and never a shell, no questions, no hooks, a deadline for each call. */
export class Git {
  readonly #dir: string
  readonly #signal: AbortSignal

  /** @param dir - the bare repository */
  constructor(dir: string, signal: AbortSignal) {
    this.#dir = dir
    this.#signal = signal
  }

  /** The output of a call that must succeed. @throws GitError */
  async output(args: readonly string[], options: GitOptions = {}): Promise<Buffer> {
    const { code, out, said } = await this.run(args, options)
    if (code === 0) return out
    throw new GitError('GIT_FAILED', `git ${args[0]} failed: ${lastLine(said) || `exit code ${code}`}`)
  }

  /** One line of output, a hash mostly. @throws GitError */
  async line(args: readonly string[], options: GitOptions = {}): Promise<string> {
    return (await this.output(args, options)).toString('utf8').trim()
  }

  /** @throws GitError GIT_MISSING | GIT_TIMEOUT | REPOSITORY_TOO_LARGE */
  run(args: readonly string[], { input, most = MAX_OUTPUT_BYTES, timeoutMs = LOCAL_TIMEOUT_MS, env = {}, watch }: GitOptions = {}): Promise<GitRan> {
    this.#signal.throwIfAborted()
    const words = [...SETTINGS.flatMap((setting) => ['-c', setting]), `--git-dir=${this.#dir}`, ...args]
    return new Promise((resolve, reject) => {
      // a session of its own: no terminal on which anything could ask, and helpers end with it
      const child = spawn('git', words, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...environment(), ...env }, detached: true })
      const out: Buffer[] = []
      let size = 0
      let said = ''
      const end = (error: unknown): void => {
        clearTimeout(timer)
        clearInterval(watching)
        this.#signal.removeEventListener('abort', onAbort)
        killGroup(child)
        reject(error)
      }
      const onAbort = (): void => end(this.#signal.reason)
      const timer = setTimeout(() => end(new GitError('GIT_TIMEOUT', `git ${args[0]} took more than ${timeoutMs / 1_000} s`)), timeoutMs)
      const watching = watch === undefined ? undefined : setInterval(() => void watch().then((error) => error && end(error), end), WATCH_MS)
      this.#signal.addEventListener('abort', onAbort, { once: true })
      child.stdout.on('data', (piece: Buffer) => {
        size += piece.length
        if (size > most) end(new GitError('REPOSITORY_TOO_LARGE', `git ${args[0]} answers with more than ${most} bytes`))
        else out.push(piece)
      })
      child.stderr.on('data', (piece: Buffer) => {
        said = (said + piece.toString('utf8')).slice(-MAX_SAID_BYTES)
      })
      // a program that ends early reads no more
      child.stdin.on('error', () => {})
      child.stdin.end(input ?? '')
      child.on('error', (error: NodeJS.ErrnoException) => {
        const missing = error.code === 'ENOENT'
        end(missing ? new GitError('GIT_MISSING', 'git is not installed', 'install git', { cause: error }) : error)
      })
      child.on('close', (code) => {
        clearTimeout(timer)
        clearInterval(watching)
        this.#signal.removeEventListener('abort', onAbort)
        resolve({ code: code ?? 1, out: Buffer.concat(out), said })
      })
    })
  }
}

/** The last line that says anything, for people. */
export function lastLine(said: string): string {
  const lines = said.split('\n').map((line) => line.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, ' ').trim())
  const telling = lines.filter((line) => line !== '' && !line.startsWith('hint:'))
  return telling.findLast((line) => /^(fatal|error|remote|ssh):/.test(line)) ?? telling.at(-1) ?? ''
}

function environment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_') || PASSED.test(name))
  return { ...Object.fromEntries(own), LC_ALL: 'C', GIT_TERMINAL_PROMPT: '0', GIT_ASKPASS: 'true', SSH_ASKPASS: 'true', SSH_ASKPASS_REQUIRE: 'force' }
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // it has ended
  }
}
