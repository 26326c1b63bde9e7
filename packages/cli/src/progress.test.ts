import { expect, test } from 'vitest'
import { progressLine } from './progress.ts'
import { bytes } from './text/figures.ts'

const rate = (perSecond: number): string => `${bytes(perSecond)}/s`

test('with a total: share, rate and time left; what matters least goes first where it is narrow', () => {
  const state = { label: 'poems.txt', done: 2 ** 29, total: 2 ** 30, elapsedMs: 8_000, rate }
  expect(progressLine(state, 80, true)).toBe('poems.txt  ██████████··········   50%  64.0 MiB/s  ETA 8s')
  expect(progressLine(state, 36, false)).toBe('poems.txt   50%  64.0 MiB/s  ETA 8s')
  expect(progressLine(state, 20, true)).toBe('poems.txt   50%')
  expect(progressLine({ ...state, done: 2 ** 30 }, 80, false)).toBe('poems.txt  100%  128 MiB/s  in 8s')
})

test('without one: how much, how fast, for how long', () => {
  const state = { label: 'standard input', done: 3 * 2 ** 28, total: undefined, amount: bytes, elapsedMs: 6_000, rate }
  expect(progressLine(state, 80, true)).toBe('standard input  768 MiB  128 MiB/s  6s')
  expect(progressLine(state, 26, true)).toBe('standard inp…  768 MiB  6s')
  expect(progressLine({ label: 'lines', done: 1_234, total: undefined, elapsedMs: 0 }, 80, false)).toBe('lines  1,234  0s')
})
