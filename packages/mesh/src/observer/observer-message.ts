import type { Verdict } from '@sgsd/wire'

/** What the older colour system says over UDP, as far as it is understood. Nothing of it is signed. */
export interface ObserverMessage {
  readonly kind: 'hello' | 'bundle' | 'result' | 'nashprop' | 'cap' | 'other'
  /** Host name as sent, made printable: `^[\x20-\x7e]{1,32}$`. */
  readonly host: string
  /** Polarity 0, 1 or 2 when sent. */
  readonly polarity: number | undefined
  /** Colour fingerprint as sent, up to 64 bits. */
  readonly fingerprint: bigint | undefined
}

/** One UDP datagram that no network splits. */
export const MAX_OBSERVER_BYTES = 1_472

const KINDS = new Set(['hello', 'bundle', 'result', 'nashprop', 'cap'])
const U64 = 1n << 64n

/** Reads `{"g":"gay","h":host,"p":polarity,"f":fingerprint,"t":kind}`; only `g` and `h` are needed. Never throws. */
export function parseObserverMessage(bytes: Uint8Array): Verdict<ObserverMessage> {
  if (bytes.length > MAX_OBSERVER_BYTES) return { type: 'reject', reason: `${bytes.length} bytes are more than one datagram` }
  let parsed: unknown
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return { type: 'reject', reason: 'not JSON' }
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return { type: 'reject', reason: 'not an object' }
  const { g, h, p, f, t } = parsed as Readonly<Record<string, unknown>>
  if (g !== 'gay') return { type: 'ignore', reason: 'another protocol' }
  if (typeof h !== 'string' || h === '') return { type: 'reject', reason: 'no host' }
  return {
    type: 'accept',
    value: {
      kind: typeof t === 'string' && KINDS.has(t) ? (t as ObserverMessage['kind']) : t === undefined ? 'hello' : 'other',
      host: h.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 32),
      polarity: p === 0 || p === 1 || p === 2 ? p : undefined,
      fingerprint: fingerprintOf(f),
    },
  }
}

/** Our own greeting, in the same form. */
export function observerHello(host: string, polarity: number, fingerprint: bigint): Uint8Array {
  return Buffer.from(JSON.stringify({ g: 'gay', t: 'hello', h: host, p: polarity, f: `0x${fingerprint.toString(16)}` }))
}

function fingerprintOf(value: unknown): bigint | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? BigInt(value) : undefined
  if (typeof value !== 'string' || !/^(0x[0-9a-fA-F]{1,16}|[0-9]{1,20})$/.test(value)) return undefined
  const read = BigInt(value)
  return read < U64 ? read : undefined
}
