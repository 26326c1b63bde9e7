import { type HostError, isHostError } from '../hosts/host-error.ts'

/** Waits before a host is asked again: doubling from the first to the last. */
const FIRST_MS = 1_000
const LAST_MS = 300_000

/** Why farming waits, and until when. */
export interface HostWait {
  readonly why: string
  readonly hint: string
  /** Local monotonic time. */
  readonly until: number
}

/**
 * What to do when a host fails: how long to wait, longer each time. A person's fault (a key, a budget) is looked at again as well, since nobody tells us when
 * it is mended.
 * @param failures - in a row, this one included
 * @returns undefined when it is not the host's failure
 */
export function hostWait(error: unknown, failures: number, now: number): HostWait | undefined {
  const known = isHostError(error, 'HOST_DOWN') || isHostError(error, 'HOST_WRONG') || isHostError(error, 'HOST_REFUSED')
  if (!known) return undefined
  const { code, message, data } = error as HostError
  const backoff = Math.min(LAST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 20))
  const asked = 'retryAfterMs' in data ? (data.retryAfterMs ?? 0) : 0
  return {
    why: message,
    hint: code === 'HOST_REFUSED' && 'remedy' in data ? data.remedy : 'sgsd farm resume asks it again at once',
    until: now + Math.max(backoff, asked),
  }
}
