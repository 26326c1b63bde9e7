import { execFile } from 'node:child_process'
import { request } from 'node:http'
import { reasonOf } from '../mesh-error.ts'
import { readTailscaleStatus, type TailscaleStatus } from './tailscale-status.ts'

/** Where to ask for the tailnet's status; the defaults are the places that tailscaled uses on Linux and macOS. */
export interface TailscalePlaces {
  readonly socketPaths?: readonly string[]
  readonly command?: string
}

/** An answer, or why there is none; `absent` when this machine has no Tailscale at all. */
export type TailscaleAnswer = TailscaleStatus | { readonly type: 'absent'; readonly detail: string }

const SOCKET_PATHS: readonly string[] = ['/var/run/tailscale/tailscaled.sock', '/run/tailscale/tailscaled.sock', '/var/run/tailscaled.socket']
const COMMAND = 'tailscale'

/** Largest status document read, bytes; a tailnet of 1,000 machines has about 1 MB. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024

/** Longest wait for the socket, and for the command, milliseconds. */
const SOCKET_DEADLINE_MS = 2_000
const COMMAND_DEADLINE_MS = 3_000

/**
 * Asks tailscaled over its local API, socket by socket, and the `tailscale` command when no socket answers (the macOS apps have
 * none). Never rejects; ends within the deadlines above whatever the other side does.
 */
export async function askTailscale(places: TailscalePlaces, signal: AbortSignal): Promise<TailscaleAnswer> {
  const failures: string[] = []
  for (const path of places.socketPaths ?? SOCKET_PATHS) {
    try {
      const status = readTailscaleStatus(await askSocket(path, signal))
      if (status.type !== 'unreadable') return status
      failures.push(`${path}: ${status.detail}`)
    } catch (error) {
      if (!isMissing(error)) failures.push(`${path}: ${reasonOf(error)}`)
    }
  }
  try {
    const status = readTailscaleStatus(await askCommand(places.command ?? COMMAND, signal))
    if (status.type !== 'unreadable') return status
    failures.push(`\`${places.command ?? COMMAND} status --json\`: ${status.detail}`)
  } catch (error) {
    if (!isMissing(error)) failures.push(`\`${places.command ?? COMMAND} status --json\`: ${reasonOf(error).split('\n', 1)[0]}`)
  }
  return failures.length === 0
    ? { type: 'absent', detail: 'no socket and no `tailscale` command on this machine' }
    : { type: 'unreadable', detail: failures.join('; ') }
}

function askSocket(socketPath: string, signal: AbortSignal): Promise<string> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(SOCKET_DEADLINE_MS)])
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, path: '/localapi/v0/status', headers: { Host: 'local-tailscaled.sock' }, signal: deadline }, (answer) => {
      const pieces: Buffer[] = []
      let bytes = 0
      answer.on('data', (piece: Buffer) => {
        bytes += piece.length
        if (bytes > MAX_ANSWER_BYTES) call.destroy(new Error(`the answer is larger than ${MAX_ANSWER_BYTES} bytes`))
        else pieces.push(piece)
      })
      answer.on('error', reject)
      answer.on('end', () => {
        if (answer.statusCode === 200) resolve(Buffer.concat(pieces).toString('utf8'))
        else reject(new Error(answer.statusCode === 403 ? 'this user may not ask tailscaled' : `tailscaled answered ${answer.statusCode}`))
      })
    })
    call.on('error', (error) => reject(deadline.aborted && !signal.aborted ? new Error(`no answer in ${SOCKET_DEADLINE_MS} ms`) : error))
    call.end()
  })
}

function askCommand(command: string, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(
      command,
      ['status', '--json'],
      { timeout: COMMAND_DEADLINE_MS, maxBuffer: MAX_ANSWER_BYTES, signal, encoding: 'utf8' },
      (error, stdout) => {
        // Logged out, it prints the document and exits 1.
        if (stdout !== '') resolve(stdout)
        else reject(error?.killed === true ? new Error(`no answer in ${COMMAND_DEADLINE_MS} ms`) : (error ?? new Error('it printed nothing')))
      },
    )
  })
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
