import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { equalSets } from './registers.ts'
import { addAddress, addressesOf, bitCount, emptySet, setOf, setOfAddresses } from './hll-set.ts'
import { encodeSet, parseSet, setId, startsLikeSet } from './set-bytes.ts'

const addresses = fc.uniqueArray(fc.nat({ max: 32_767 }), { maxLength: 3_000, size: 'max' })
const seeds = fc.nat({ max: 0xffff_ffff })

describe('bytes of a set', () => {
  test('are read back, sparse and dense', () => {
    fc.assert(
      fc.property(addresses, seeds, (list, seed) => {
        const set = setOfAddresses(list, seed)
        expect([...addressesOf(set)]).toEqual(list.toSorted((a, b) => a - b))
        const parsed = parseSet(encodeSet(set))
        expect(parsed.ok && equalSets(parsed.set, set)).toBe(true)
      }),
      { numRuns: 40 },
    )
  })

  test('are the shorter form, with the change from 2,047 to 2,048 bits', () => {
    const set = emptySet()
    for (let address = 0; address < 2_047; address++) addAddress(set, address)
    expect(encodeSet(set)).toHaveLength(8 + 2 * 2_047)
    addAddress(set, 2_047)
    expect(bitCount(set)).toBe(2_048)
    expect(encodeSet(set)).toHaveLength(8 + 4_096)
  })

  test('that are read are those that would be written: one set has one encoding and one id', () => {
    const header = fc.constant([1, 10]).chain((start) => fc.tuple(fc.constant(start), fc.constantFrom(0, 1, 2), fc.uint8Array({ maxLength: 64 })))
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 64 }),
          header.map(([start, form, rest]) => Uint8Array.of(...start, form, 0, ...rest)),
        ),
        (bytes) => {
          // what was handed in may be a window of a larger buffer
          const parsed = parseSet(Uint8Array.of(9, ...bytes, 9).subarray(1, bytes.length + 1))
          if (parsed.ok) expect(encodeSet(parsed.set)).toEqual(bytes)
          else expect(parsed.reason).not.toBe('')
        },
      ),
      { numRuns: 2_000 },
    )
  })

  test('are told from text by how they begin', () => {
    for (const set of [emptySet(), setOf(['a'], 9), setOf(Array.from({ length: 9_000 }, (_, i) => `${i}`))])
      expect(startsLikeSet(encodeSet(set))).toBe(true)
    for (const text of ['', 'abc', '天地玄黃', '\n\n\n\n', '\u0001\nab']) expect(startsLikeSet(new TextEncoder().encode(text))).toBe(false)
  })

  test('are refused with the reason', () => {
    const good = encodeSet(setOf(['a', 'b', 'c']))
    const reasonOf = (bytes: Uint8Array): string => {
      const parsed = parseSet(bytes)
      return parsed.ok ? 'accepted' : parsed.reason
    }
    expect(reasonOf(good)).toBe('accepted')
    expect(reasonOf(good.subarray(0, 7))).toMatch(/header/)
    expect(reasonOf(good.with(0, 2))).toMatch(/version/)
    expect(reasonOf(good.with(1, 12))).toMatch(/precision/)
    expect(reasonOf(good.with(2, 7))).toMatch(/form/)
    expect(reasonOf(good.with(3, 1))).toMatch(/reserved/)
    expect(reasonOf(good.subarray(0, 13))).toMatch(/sparse body/)
    expect(reasonOf(Uint8Array.of(...good.subarray(0, 8), ...good.subarray(10, 12), ...good.subarray(8, 10)))).toMatch(/ascend/)
    expect(reasonOf(good.with(13, 0xff))).toMatch(/outside/)
    expect(reasonOf(Uint8Array.of(...good.subarray(0, 2), 1, 0, 0, 0, 0, 0, ...new Uint8Array(4_096)))).toMatch(/sparse form/)
  })

  test('have equal ids if and only if the registers and the seeds are equal', () => {
    const few = fc.uniqueArray(fc.nat({ max: 5 }), { maxLength: 3 })
    fc.assert(
      fc.property(few, few, fc.nat({ max: 1 }), fc.nat({ max: 1 }), (first, second, seed, other) => {
        const [a, b] = [setOfAddresses(first, seed), setOfAddresses(second, other)]
        expect(setId(a) === setId(b)).toBe(equalSets(a, b))
        const together = new Set([...first, ...second]).size
        expect(equalSets(a, b)).toBe(seed === other && together === first.length && together === second.length)
      }),
    )
  })

  test('are the same from the sparse form and from the registers', () => {
    fc.assert(
      fc.property(addresses, seeds, (list, seed) => {
        const set = setOfAddresses(list, seed)
        const again = setOfAddresses(addressesOf(set).toReversed(), seed)
        expect(setId(again)).toBe(setId(set))
        expect(encodeSet({ seed, registers: Uint32Array.from(set.registers) })).toEqual(encodeSet(again))
      }),
      { numRuns: 40 },
    )
  })

  test('in an id that depends on the tokens and the seed alone', () => {
    expect(setId(setOf(['人', '工', '人']))).toBe(setId(setOf(['工', '人'])))
    expect(setId(setOf(['人']))).not.toBe(setId(setOf(['工'])))
    expect(setId(setOf(['人'], 1))).not.toBe(setId(setOf(['人'], 2)))
    expect(setId(emptySet())).toMatch(/^[0-9a-f]{64}$/)
  })
})
