import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CliError, describeFailure, Interrupted } from './failure.ts'

class Coded extends Error {
  readonly code: string
  readonly hint: string
  readonly reason: string
  constructor(code: string, hint = '', reason = '') {
    super(`trouble with ${code}`)
    this.code = code
    this.hint = hint
    this.reason = reason
  }
}

test.each([
  ['no daemon', new Coded('DAEMON_NOT_RUNNING', 'sgsd up'), 3],
  ['a socket of somebody else', new Coded('NOT_PERMITTED'), 5],
  ['a daemon that hangs', new Coded('TIMEOUT'), 6],
  ['a refusal', new Coded('REFUSED'), 1],
  ['a refused invite', new Coded('REFUSED', '', 'INVITE_INVALID'), 2],
  ['a refused key', new Coded('REFUSED', '', 'JOIN_WRONG_KEY'), 5],
  ['a join that nobody answered', new Coded('REFUSED', '', 'JOIN_TIMEOUT'), 6],
  ['a file of root', new Coded('EACCES'), 5],
  ['an error that knows its exit code', new CliError('X', 'x', 78), 78],
  ['Ctrl-C', new Interrupted('SIGINT'), 130],
  ['a deadline', new DOMException('late', 'TimeoutError'), 6],
  ['anything else', new Error('boom'), 1],
  ['what is no error', 'boom', 1],
])('%s', (_, error, exitCode) => {
  expect(describeFailure(error).exitCode).toBe(exitCode)
})

test('whatever is thrown, it is one line', () => {
  fc.assert(
    fc.property(fc.anything(), fc.string(), (thrown, message) => {
      for (const error of [thrown, new Error(message), new CliError('X', message, 1, message)]) {
        const failure = describeFailure(error)
        expect(failure.message).not.toMatch(/[\r\n]/)
        expect(failure.hint).not.toMatch(/[\r\n]/)
        expect(Number.isInteger(failure.exitCode)).toBe(true)
      }
    }),
  )
})
