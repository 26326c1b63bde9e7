import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeInviteAnswer, type InviteAnswer, parseInviteAnswer } from './admission-messages.ts'
import { encodeBody } from './msgpack.ts'

const answer: fc.Arbitrary<InviteAnswer> = fc.oneof(
  fc.record({
    granted: fc.constant(true as const),
    genesis: fc.uint8Array({ minLength: 1, maxLength: 1_024 }),
    meshKey: fc.option(fc.uint8Array({ minLength: 32, maxLength: 32 }), { nil: undefined }),
  }),
  fc.record({
    granted: fc.constant(false as const),
    why: fc.constantFrom('expired' as const, 'used' as const, 'revoked' as const, 'excluded' as const),
    agoMs: fc.maxSafeNat(),
  }),
)

test('any answer to an invite comes back', () => {
  fc.assert(
    fc.property(answer, (one) => {
      expect(parseInviteAnswer(encodeInviteAnswer(one))).toEqual({ type: 'accept', value: one })
    }),
  )
})

const bytes = (size: number): Uint8Array => new Uint8Array(size)

test.each([
  ['a refusal that holds a key', ['used', 5, bytes(0), bytes(32)]],
  ['a grant of nothing', ['granted', 0, bytes(0), bytes(32)]],
  ['a grant with a time', ['granted', 5, bytes(8), bytes(32)]],
  ['half a key', ['granted', 0, bytes(8), bytes(16)]],
  ['an unknown status', ['perhaps', 0, bytes(0), bytes(0)]],
  ['a field too many', ['used', 5, bytes(0), bytes(0), 0]],
])('%s is rejected', (_, fields) => {
  expect(parseInviteAnswer(encodeBody(fields as never)).type).toBe('reject')
})

test('no bytes make it throw', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (noise) => ['accept', 'reject'].includes(parseInviteAnswer(noise).type)))
})
