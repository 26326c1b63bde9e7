import { pause } from '../pause.ts'
import { isHostError } from './host-error.ts'

/** First wait; it doubles with each attempt. */
const FIRST_WAIT_MS = 250
/** No wait is longer than this; a host that asks for a longer one is down. */
export const MAX_WAIT_MS = 30_000

export interface Attempts {
  /** Further attempts after the first. */
  readonly retries: number
  /** Uniform in [0, 1): members that lost one host do not all come back at the same moment. */
  readonly random: () => number
  /** Failures besides HOST_DOWN that another attempt may mend. */
  readonly also?: (error: unknown) => boolean
}

/** Milliseconds before attempt `n` (from 1), half to one and a half times 250 · 2^(n−1), not above the limit. */
export function backoffMs(n: number, random: number): number {
  return Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(n - 1, 20) * (0.5 + random))
}

/**
 * Calls until it succeeds, fails for good, or the attempts are spent; then the last error passes on. A host that names a time is not asked
 * before it.
 * @throws the last error, or the signal's reason
 */
export async function withRetries<T>(attempt: () => Promise<T>, { retries, random, also }: Attempts, signal: AbortSignal): Promise<T> {
  for (let n = 1; ; n++) {
    try {
      return await attempt()
    } catch (error) {
      signal.throwIfAborted()
      const down = isHostError(error, 'HOST_DOWN') ? error.data : undefined
      if (n > retries || !(down !== undefined || also?.(error) === true)) throw error
      const asked = down?.retryAfterMs ?? 0
      if (asked > MAX_WAIT_MS) throw error
      await pause(Math.max(asked, backoffMs(n, random())), signal)
      signal.throwIfAborted()
    }
  }
}

/** `Retry-After`: seconds or an HTTP date; undefined when it is absent or says nothing. */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined
  if (/^\s*\d{1,9}\s*$/.test(header)) return Number(header) * 1_000
  const at = Date.parse(header)
  return Number.isNaN(at) ? undefined : Math.max(0, at - now)
}
