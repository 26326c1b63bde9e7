import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  blockIdOf,
  encodeEvidenceBlock,
  encodeLeaves,
  encodeRowBlock,
  encodeStateBlock,
  parseEvidenceBlock,
  parseLeaves,
  parseRowBlock,
  parseStateBlock,
} from './blocks.ts'
import { COUNTS, ROWS } from '../testing/member.ts'

const valid = encodeRowBlock(ROWS)

/** The valid block with one of its 32-bit words changed; word 0 is the magic. */
const withWord = (bytes: Uint8Array, word: number, value: number): Uint8Array => {
  const copy = bytes.slice()
  new DataView(copy.buffer).setUint32(4 * word, value, true)
  return copy
}

describe('row blocks (docs/protocol.md §8.4)', () => {
  test('come back from any offset in memory, as views where they are aligned', () => {
    for (const offset of [0, 1, 2, 3, 4]) {
      const memory = new Uint8Array(offset + valid.length)
      memory.set(valid, offset)
      const parsed = parseRowBlock(memory.subarray(offset))
      expect(parsed).toEqual({ type: 'accept', value: ROWS })
      if (parsed.type === 'accept') expect(parsed.value.tauVals.buffer === memory.buffer).toBe(offset % 4 === 0)
    }
  })

  test('are laid out as written down: header, then arrays without gaps', () => {
    const words = [...new Uint32Array(valid.buffer, valid.byteOffset, valid.length / 4)]
    const ONE = 0x3f80_0000
    expect(words).toEqual([0x5253_4753, 1, 85, 2, 2, 1, 3, 7, 0, 2, 2, 1, 9, 0x3f00_0000, ONE, 0, 0, 1, 4, 0x3e80_0000])
    expect(Buffer.from(valid.subarray(0, 4)).toString()).toBe('SGSR')
  })

  test.each([
    ['another magic', withWord(valid, 0, 0), 'does not begin with SGSR'],
    ['a later version', withWord(valid, 1, 2), 'block version 2'],
    ['radical 0', withWord(valid, 2, 0), 'no radical 0'],
    ['radical 215', withWord(valid, 2, 215), 'no radical 215'],
    ['more rows than bytes', withWord(valid, 3, 0xffff_ffff), '80 bytes where the header asks for 51539607596'],
    ['a byte too many', new Uint8Array([...valid, 0]), '81 bytes where the header asks for 80'],
    ['half a header', valid.subarray(0, 20), '20 bytes, less than a header'],
    ['rows that do not ascend', withWord(valid, 6, 7), 'row ids that do not ascend'],
    ['offsets that do not begin at 0', withWord(valid, 8, 1), 'offsets that do not span the edges'],
    ['offsets that end elsewhere', withWord(valid, 10, 1), 'offsets that do not span the edges'],
    ['offsets that fall', withWord(valid, 9, 3), 'a row with more than 64 edges, or offsets that do not ascend'],
    ['columns that do not ascend', withWord(valid, 12, 1), 'columns that do not ascend'],
    ['NaN', withWord(valid, 13, 0x7fc0_0000), 'a weight outside [0, 1]'],
    ['an infinity', withWord(valid, 13, 0x7f80_0000), 'a weight outside [0, 1]'],
    ['-0', withWord(valid, 13, 0x8000_0000), 'a weight outside [0, 1]'],
    ['a negative weight', withWord(valid, 19, 0xbe80_0000), 'a weight outside [0, 1]'],
    ['a weight just above 1', withWord(valid, 14, 0x3f80_0001), 'a weight outside [0, 1]'],
  ])('%s is refused', (_, bytes, reason) => {
    expect(parseRowBlock(bytes)).toEqual({ type: 'reject', reason })
  })

  test('a row may have 64 edges and no more', () => {
    const row = (edges: number): Uint8Array =>
      encodeRowBlock({
        radical: 1,
        rowIds: Uint32Array.of(0),
        tauPtr: Uint32Array.of(0, edges),
        tauCols: Uint32Array.from({ length: edges }, (_, i) => i),
        tauVals: new Float32Array(edges),
        rhoPtr: Uint32Array.of(0, 0),
        rhoCols: new Uint32Array(0),
        rhoVals: new Float32Array(0),
      })
    expect(parseRowBlock(row(64)).type).toBe('accept')
    expect(parseRowBlock(row(65)).type).toBe('reject')
  })
})

describe('blocks of counts (docs/protocol.md §8.7)', () => {
  const counts = encodeEvidenceBlock(COUNTS)

  test('come back from any offset in memory, as views where they are aligned', () => {
    for (const offset of [0, 1, 2, 3, 4]) {
      const memory = new Uint8Array(offset + counts.length)
      memory.set(counts, offset)
      const parsed = parseEvidenceBlock(memory.subarray(offset))
      expect(parsed).toEqual({ type: 'accept', value: COUNTS })
      if (parsed.type === 'accept') expect(parsed.value.counts.buffer === memory.buffer).toBe(offset % 4 === 0)
    }
  })

  test('are laid out as written down: header, then arrays without gaps', () => {
    const words = [...new Uint32Array(counts.buffer, counts.byteOffset, counts.length / 4)]
    expect(words).toEqual([0x4553_4753, 1, 85, 2, 3, 3, 7, 0, 2, 3, 1, 9, 4, 256, 1_000, 0xffff_ffff])
    expect(Buffer.from(counts.subarray(0, 4)).toString()).toBe('SGSE')
  })

  test.each([
    ['another magic', withWord(counts, 0, 0), 'does not begin with SGSE'],
    ['a later version', withWord(counts, 1, 2), 'block version 2'],
    ['radical 0', withWord(counts, 2, 0), 'no radical 0'],
    ['radical 215', withWord(counts, 2, 215), 'no radical 215'],
    ['more rows than bytes', withWord(counts, 3, 0xffff_ffff), '64 bytes where the header asks for 34359738408'],
    ['more pairs than bytes', withWord(counts, 4, 0xffff_ffff), '64 bytes where the header asks for 34359738400'],
    ['a byte too many', new Uint8Array([...counts, 0]), '65 bytes where the header asks for 64'],
    ['half a header', counts.subarray(0, 16), '16 bytes, less than a header'],
    ['rows that do not ascend', withWord(counts, 5, 7), 'row ids that do not ascend'],
    ['offsets that do not begin at 0', withWord(counts, 7, 1), 'offsets that do not span the pairs'],
    ['offsets that end elsewhere', withWord(counts, 9, 2), 'offsets that do not span the pairs'],
    ['an empty row', withWord(counts, 8, 0), 'an empty row, one with more than 22903 pairs, or offsets that do not ascend'],
    ['offsets beyond the pairs', withWord(counts, 8, 4), 'columns that do not ascend'],
    [
      'a row longer than the lattice is wide',
      withWord(counts, 8, 22_904),
      'an empty row, one with more than 22903 pairs, or offsets that do not ascend',
    ],
    ['columns that do not ascend', withWord(counts, 11, 1), 'columns that do not ascend'],
    ['a count of 0', withWord(counts, 14, 0), 'a count of 0'],
  ])('%s: refused', (_, bytes, reason) => {
    expect(parseEvidenceBlock(bytes)).toEqual({ type: 'reject', reason })
  })
})

describe('state blocks (docs/protocol.md §8.5)', () => {
  test('hold any floats in [0, 1], and no others', () => {
    fc.assert(
      fc.property(fc.array(fc.float({ noDefaultInfinity: false })), (values) => {
        const state = Float32Array.from(values)
        const good = values.every((value) => value >= 0 && value <= 1 && !Object.is(value, -0))
        expect(parseStateBlock(encodeStateBlock(state))).toEqual(
          good ? { type: 'accept', value: state } : { type: 'reject', reason: 'a value outside [0, 1]' },
        )
      }),
      { numRuns: 300 },
    )
  })

  test('of another size than they say are refused', () => {
    const bytes = encodeStateBlock(Float32Array.of(0.5))
    expect(parseStateBlock(withWord(bytes, 2, 2))).toEqual({ type: 'reject', reason: '16 bytes where the header asks for 20' })
  })
})

describe('leaves (docs/protocol.md §7.1)', () => {
  test('come back exactly', () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), { minLength: 1 }), (values) => {
        const leaves = BigUint64Array.from(values)
        expect(parseLeaves(encodeLeaves(leaves))).toEqual({ type: 'accept', value: leaves })
      }),
    )
  })

  test.each([
    ['none', encodeLeaves(new BigUint64Array(0)), 'no claim has 0 leaves'],
    ['too many', withWord(encodeLeaves(BigUint64Array.of(1n)), 2, 16_385), 'no claim has 16385 leaves'],
    ['another number than they say', withWord(encodeLeaves(BigUint64Array.of(1n)), 2, 2), '24 bytes where the header asks for 32'],
    ['something in the reserved word', withWord(encodeLeaves(BigUint64Array.of(1n)), 3, 1), 'the reserved word is 1, not 0'],
  ])('%s: refused', (_, bytes, reason) => {
    expect(parseLeaves(bytes)).toEqual({ type: 'reject', reason })
  })
})

test('one kind of block is never taken for another', () => {
  const all = [valid, encodeEvidenceBlock(COUNTS), encodeStateBlock(Float32Array.of(0.5)), encodeLeaves(BigUint64Array.of(1n))]
  const parsers = [parseRowBlock, parseEvidenceBlock, parseStateBlock, parseLeaves]
  const taken = all.map((bytes) => parsers.map((parse) => parse(bytes).type === 'accept'))
  expect(taken).toEqual(all.map((_, kind) => parsers.map((_, parser) => parser === kind)))
})

test('a block id is the SHA-256 of its bytes', () => {
  expect(blockIdOf(valid)).toBe(createHash('sha256').update(valid).digest('hex'))
})
