import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { HostError } from './host-error.ts'
import { backoffMs, MAX_WAIT_MS, retryAfterMs, withRetries } from './retry.ts'

const down = (retryAfter?: number): HostError =>
  new HostError('HOST_DOWN', { host: 'h', reason: 'r', ...(retryAfter === undefined ? {} : { retryAfterMs: retryAfter }) })

test('waits grow to their limit, between half and one and a half times the doubled one', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000 }), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (n, random) => {
      const wait = backoffMs(n, random)
      expect(wait).toBeLessThanOrEqual(MAX_WAIT_MS)
      expect(wait).toBeGreaterThanOrEqual(Math.min(MAX_WAIT_MS, 125 * 2 ** Math.min(n - 1, 20)))
      expect(wait).toBeLessThan(375 * 2 ** Math.min(n - 1, 20))
      expect(backoffMs(n + 1, random)).toBeGreaterThanOrEqual(wait)
    }),
  )
})

describe('Retry-After', () => {
  const now = Date.parse('2026-11-22T06:00:00Z')
  test.each([
    ['0', 0],
    [' 120 ', 120_000],
    ['Sun, 22 Nov 2026 06:01:00 GMT', 60_000],
    ['Sun, 22 Nov 2026 05:00:00 GMT', 0],
    ['soon', undefined],
    ['', undefined],
    ['-5e99999', undefined],
    ['99999999999999999999', undefined],
    [undefined, undefined],
  ])('%j is %j ms', (header, wait) => expect(retryAfterMs(header, now)).toBe(wait))
})

describe('attempts', () => {
  test.each([0, 1, 3])('%i retries are that many calls more', async (retries) => {
    vi.useFakeTimers()
    try {
      let calls = 0
      const call = async (): Promise<never> => {
        calls++
        throw down()
      }
      const outcome = withRetries(call, { retries, random: () => 0 }, new AbortController().signal).catch((error: unknown) => error)
      await vi.runAllTimersAsync()
      expect(await outcome).toMatchObject({ code: 'HOST_DOWN' })
      expect(calls).toBe(retries + 1)
    } finally {
      vi.useRealTimers()
    }
  })

  test('other errors, and waits too long, pass on at once', async () => {
    for (const error of [new Error('bug'), new HostError('HOST_WRONG', { host: 'h', reason: 'r' }), down(MAX_WAIT_MS + 1)]) {
      let calls = 0
      const call = async (): Promise<never> => {
        calls++
        throw error
      }
      await expect(withRetries(call, { retries: 5, random: () => 0 }, new AbortController().signal)).rejects.toBe(error)
      expect(calls).toBe(1)
    }
  })
})
