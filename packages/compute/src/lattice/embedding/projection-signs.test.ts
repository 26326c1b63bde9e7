import { spi64 } from '@sgsd/color'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PROJECTION_SEED, projectionSigns } from './projection-signs.ts'

/** Order of the shipped lattice. */
const ROWS = 22_903

test('the signs of a row are the bits of spi64, for every row and block', () => {
  fc.assert(
    fc.property(fc.nat(ROWS - 1), fc.nat(63), (row, block) => {
      const words = new Uint32Array(4)
      projectionSigns(row, block, words, 2)
      expect((BigInt(words[3]!) << 32n) | BigInt(words[2]!)).toBe(spi64(PROJECTION_SEED, BigInt(64 * row + block)))
      expect([words[0], words[1]]).toEqual([0, 0])
    }),
    {
      examples: [
        [0, 0],
        [ROWS - 1, 63],
      ],
    },
  )
})
