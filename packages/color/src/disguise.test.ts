import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { disguise, foldShare, MAX_DISGUISED_BYTES, publicXorHolds, reveal, type Share, spi64 } from './index.ts'

const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const message = fc.uint8Array({ maxLength: 100 })
const disguised = fc.record({ key: u64, start: u64, message })

describe('a message in three shares', () => {
  test('comes back from all three and from any two, in any order', () => {
    fc.assert(
      fc.property(disguised, fc.shuffledSubarray([0, 1, 2], { minLength: 2 }), ({ key, start, message }, places) => {
        const shares = disguise(key, start, message)
        expect(
          reveal(
            key,
            places.map((place) => shares[place]!),
          ),
        ).toEqual({ ok: true, message })
      }),
    )
  })

  test('leaves the public XOR as it was: 0 in every block, whatever is hidden', () => {
    fc.assert(
      fc.property(disguised, ({ key, start, message }) => {
        const shares = disguise(key, start, message)
        expect(publicXorHolds(shares)).toBe(true)
        expect(shares.reduce((xor, share) => xor ^ foldShare(share), 0n)).toBe(0n)
      }),
    )
  })

  test('masks with the colours of the key, so that nothing of the message stands in a share', () => {
    const [minus] = disguise(7n, 3n, new Uint8Array(24))
    expect(minus.blocks.slice(2)).toEqual([2n, 3n, 4n].map((i) => spi64(7n, 3n + i)))
  })

  test('one wrong share, or two, are named, and nothing is revealed', () => {
    const damage = fc.record({ block: fc.nat(), flip: fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }) })
    fc.assert(
      fc.property(
        disguised,
        fc.subarray([0, 1, 2] as const, { minLength: 1, maxLength: 2 }),
        damage,
        ({ key, start, message }, wrong, { block, flip }) => {
          const shares = disguise(key, start, message).map((share) => {
            const at = block % share.blocks.length
            return (wrong as readonly number[]).includes(share.polarity)
              ? { ...share, blocks: share.blocks.with(at, share.blocks[at]! ^ flip) }
              : share
          })
          expect(reveal(key, shares)).toMatchObject({ ok: false, wrong })
        },
      ),
    )
  })

  test('a wrong share, and its partner that hides the XOR of it, are found by the checksum alone', () => {
    const shares = disguise(5n, 0n, new TextEncoder().encode('meet at noon'))
    const forged = shares.map((share) => (share.polarity === 1 ? share : { ...share, blocks: share.blocks.with(2, share.blocks[2]! ^ 1n) }))
    expect(publicXorHolds(forged)).toBe(true)
    expect(reveal(5n, forged)).toEqual({ ok: false, wrong: [0, 2], reason: 'the checksum inside does not fit: MINUS and PLUS wrong' })
  })

  test('the wrong key fits no share', () => {
    fc.assert(
      fc.property(disguised, u64, ({ key, start, message }, other) => {
        fc.pre(key !== other)
        expect(reveal(other, disguise(key, start, message))).toMatchObject({ ok: false, wrong: [0, 1, 2] })
      }),
    )
  })

  test('shares of two messages do not mix; too few, too many and doubled ones are refused', () => {
    const [a, b, c] = disguise(1n, 0n, Uint8Array.of(1))
    const other = disguise(1n, 0n, Uint8Array.of(2))
    expect(reveal(1n, [a, b, other[2]])).toMatchObject({ ok: false, wrong: [], reason: 'the shares belong to different messages' })
    expect(reveal(1n, [a, disguise(1n, 9n, Uint8Array.of(1))[2]])).toMatchObject({ ok: false, reason: 'the shares belong to different messages' })
    for (const shares of [[], [a], [a, a], [a, b, c, a]]) expect(reveal(1n, shares)).toMatchObject({ ok: false, wrong: [] })
  })

  test('whatever the blocks, there is an answer', () => {
    const share = fc.record({ polarity: fc.constantFrom(0, 1, 2), start: u64, blocks: fc.array(u64, { maxLength: 5 }) }) as fc.Arbitrary<Share>
    fc.assert(
      fc.property(u64, fc.array(share, { maxLength: 4 }), (key, shares) => {
        expect(reveal(key, shares).ok).toBe(false)
      }),
    )
  })

  test('too long a message is refused', () => {
    expect(() => disguise(1n, 0n, new Uint8Array(MAX_DISGUISED_BYTES + 1))).toThrow(RangeError)
  })
})
