/** What a test run came to, read from vitest's JSON report. */
export interface Tally {
  readonly passed: number
  readonly failed: number
  /** Skipped and to-do tests. */
  readonly skipped: number
}

interface Report {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly numTodoTests: number
  readonly testResults: readonly { readonly status: string; readonly assertionResults: readonly { readonly status: string }[] }[]
}

/**
 * A file that could not be loaded holds no failed test of its own; it counts as one failure. So does a run that ended badly
 * for a reason outside any test (an unhandled rejection, a crash, no report at all): the line never says 0 failed for a failed run.
 * @param report - parsed report, or undefined when there is none
 * @param status - vitest's exit status
 */
export function tallyOf(report: unknown, status: number): Tally {
  if (!isReport(report)) return { passed: 0, failed: 1, skipped: 0 }
  const brokenFiles = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  ).length
  const failed = report.numFailedTests + brokenFiles
  return {
    passed: report.numPassedTests,
    failed: failed === 0 && status !== 0 ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  }
}

/** The closing line, alone on its line: `12 passed, 0 failed` or `12 passed, 0 failed, 1 skipped`. */
export function tallyLine(tally: Tally): string {
  return `${tally.passed} passed, ${tally.failed} failed${tally.skipped > 0 ? `, ${tally.skipped} skipped` : ''}`
}

function isReport(value: unknown): value is Report {
  return typeof value === 'object' && value !== null && 'numPassedTests' in value && 'testResults' in value && Array.isArray(value.testResults)
}
