import { describe, expect, test } from 'vitest'
import { tallyLine, tallyOf } from '../scripts/tally.ts'

const GREEN = {
  numPassedTests: 3,
  numFailedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  testResults: [{ status: 'passed', assertionResults: [{ status: 'passed' }] }],
}

describe('the closing line of a test run', () => {
  test('counts what passed', () => {
    expect(tallyLine(tallyOf(GREEN, 0))).toBe('3 passed, 0 failed')
  })

  test('names skipped tests only when there are some', () => {
    expect(tallyLine(tallyOf({ ...GREEN, numPendingTests: 1, numTodoTests: 1 }, 0))).toBe('3 passed, 0 failed, 2 skipped')
  })

  test('counts a file that could not be loaded as a failure, beside failed tests', () => {
    const testResults = [
      { status: 'failed', assertionResults: [] },
      { status: 'failed', assertionResults: [{ status: 'failed' }] },
    ]
    expect(tallyLine(tallyOf({ ...GREEN, numFailedTests: 1, testResults }, 1))).toBe('3 passed, 2 failed')
  })

  test('never says 0 failed for a run that failed', () => {
    expect(tallyOf(GREEN, 1).failed).toBe(1)
    expect(tallyOf(undefined, 137)).toEqual({ passed: 0, failed: 1, skipped: 0 })
    expect(tallyOf('not a report', 0).failed).toBe(1)
  })
})
