import { createSocket, type RemoteInfo } from 'node:dgram'
import { once } from 'node:events'
import { isIPv4 } from 'node:net'
import { MeshError } from '../mesh-error.ts'
import { observerHello, type ObserverMessage, parseObserverMessage } from './observer-message.ts'

/** A machine that speaks the older protocol. Unauthenticated: shown, never trusted, never dialled. */
export interface Neighbour {
  readonly address: string
  readonly message: ObserverMessage
  /** Local monotonic time of the newest message, ms. */
  readonly seenAt: number
}

export interface ObserverOptions {
  /** UDP port of the older system. 0 takes a free one. */
  readonly port: number
  readonly host?: string
  /** What we say of ourselves when asked. */
  readonly hello: () => { readonly host: string; readonly polarity: number; readonly fingerprint: bigint }
}

export interface Observer extends AsyncDisposable {
  readonly port: number
  /** Newest first. */
  neighbours(): readonly Neighbour[]
}

/** The port of the older system. */
export const OBSERVER_PORT = 42_069
/** Neighbours kept; the one unheard for longest goes first. */
const MAX_NEIGHBOURS = 64
/** A neighbour is forgotten after this long, ms. */
const FORGET_MS = 10 * 60_000
/** One answer to an address in this long, ms, and so many to all together in one second: nobody can make us shout. */
const ANSWER_GAP_MS = 5_000
const MAX_ANSWERS_A_SECOND = 10

/**
 * Hears the older UDP messages and answers greetings from private addresses (a forged public sender gets nothing).
 * @throws MeshError LISTEN_FAILED when the port is taken
 */
export async function openObserver({ port, host = '0.0.0.0', hello }: ObserverOptions): Promise<Observer> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true })
  const heard = new Map<string, Neighbour>()
  const answered = new Map<string, number>()
  let second = 0
  let answers = 0

  const mayAnswer = (address: string, now: number): boolean => {
    if (!isPrivate(address) || now - (answered.get(address) ?? -Infinity) < ANSWER_GAP_MS) return false
    const current = Math.floor(now / 1_000)
    if (current !== second) [second, answers] = [current, 0]
    answers += 1
    return answers <= MAX_ANSWERS_A_SECOND
  }
  socket.on('message', (bytes: Uint8Array, from: RemoteInfo) => {
    const message = parseObserverMessage(bytes)
    if (message.type !== 'accept') return
    const now = performance.now()
    heard.delete(from.address)
    heard.set(from.address, { address: `${from.address}:${from.port}`, message: message.value, seenAt: now })
    for (const address of heard.keys()) {
      if (heard.size <= MAX_NEIGHBOURS) break
      heard.delete(address)
      answered.delete(address)
    }
    const own = hello()
    if (message.value.kind !== 'hello' || message.value.host === own.host || !mayAnswer(from.address, now)) return
    answered.set(from.address, now)
    socket.send(observerHello(own.host, own.polarity, own.fingerprint), from.port, from.address, () => {})
  })
  socket.bind(port, host)
  try {
    await once(socket, 'listening')
  } catch (error) {
    socket.close()
    throw new MeshError(
      'LISTEN_FAILED',
      {
        address: `udp ${host}:${port}`,
        detail: (error as NodeJS.ErrnoException).code ?? String(error),
        advice: 'turn the observer off or free the port',
      },
      { cause: error },
    )
  }
  socket.on('error', () => {})
  return {
    port: socket.address().port,
    neighbours() {
      const now = performance.now()
      return [...heard.values()].filter(({ seenAt }) => now - seenAt < FORGET_MS).toReversed()
    },
    [Symbol.asyncDispose]: () => new Promise((resolve) => void socket.close(() => resolve())),
  }
}

/** Loopback, private, link-local and shared (Tailscale) IPv4 addresses. */
function isPrivate(address: string): boolean {
  if (!isIPv4(address)) return false
  const [a = 0, b = 0] = address.split('.').map(Number)
  return (
    a === 127 ||
    a === 10 ||
    (a === 172 && b >= 16 && b < 32) ||
    (a === 192 && b === 168) ||
    (a === 169 && b === 254) ||
    (a === 100 && b >= 64 && b < 128)
  )
}
