import { describe, expect, test } from 'vitest'
import { dialFailure } from './dial-failure.ts'
import { HANDSHAKE_KEY_MISMATCH, HANDSHAKE_PEER_MISMATCH } from './noise-guard.ts'

const context = { to: 'there', afterMs: 12.3, keyed: true }

function failed(name: string, message: string, code?: string): Error {
  return Object.assign(new Error(message), { name }, code === undefined ? {} : { code })
}

const refused = failed('Error', 'connection error 10.0.0.1:1: connect ECONNREFUSED 10.0.0.1:1', 'ECONNREFUSED')
const silent = failed('AbortError', 'The operation was aborted')
const otherKey = failed('EncryptionFailedError', `${HANDSHAKE_KEY_MISMATCH}: handshake stage 1 validation fail: x`)
const otherPeer = failed('EncryptionFailedError', `${HANDSHAKE_PEER_MISMATCH}: Payload identity key a does not match`)

describe("what libp2p's errors mean; each was seen on real sockets", () => {
  test.each([
    [refused, 'DIAL_REFUSED'],
    [silent, 'DIAL_TIMEOUT'],
    [failed('TimeoutError', 'The operation was aborted due to timeout'), 'DIAL_TIMEOUT'],
    [failed('EncryptionFailedError', 'The operation was aborted due to timeout'), 'DIAL_TIMEOUT'],
    [otherKey, 'KEY_MISMATCH'],
    [otherPeer, 'PEER_MISMATCH'],
    [failed('InvalidPeerIdError', 'Can not dial self'), 'DIALLED_SELF'],
    [failed('DialError', 'Tried to dial self'), 'DIALLED_SELF'],
    [failed('EncryptionFailedError', 'Missing newline'), 'NOT_A_MESH'],
    [failed('EncryptionFailedError', 'Unexpected EOF - stream closed while reading 27/72 bytes'), 'NOT_A_MESH'],
    [failed('EncryptionFailedError', 'Encryption failed'), 'UNREACHABLE'],
    [failed('Error', 'connection error x:1: getaddrinfo ENOTFOUND x', 'ENOTFOUND'), 'UNREACHABLE'],
    [failed('Error', 'connection error x:1: connect EHOSTUNREACH', 'EHOSTUNREACH'), 'UNREACHABLE'],
    [failed('NoValidAddressesError', 'The dial request has no valid addresses'), 'ADDRESS_INVALID'],
    ['a string', 'UNREACHABLE'],
  ])('%s', (error, code) => {
    expect(dialFailure(error, context).code).toBe(code)
  })

  test('without a key of our own a refused handshake asks for one', () => {
    expect(dialFailure(otherKey, { ...context, keyed: false }).code).toBe('KEY_REQUIRED')
  })

  test('of several addresses: a mismatch counts only if every address that answered had it', () => {
    const together = (...errors: Error[]): string => dialFailure(new AggregateError(errors), context).code
    expect(together(refused, otherKey)).toBe('KEY_MISMATCH')
    expect(together(otherKey, otherKey)).toBe('KEY_MISMATCH')
    expect(together(otherKey, silent)).toBe('DIAL_TIMEOUT')
    expect(together(otherPeer, refused)).toBe('PEER_MISMATCH')
    expect(together(refused, silent)).toBe('DIAL_TIMEOUT')
  })
})
