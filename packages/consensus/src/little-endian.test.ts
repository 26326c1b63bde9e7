import fc from 'fast-check'
import { expect, test } from 'vitest'
import { f32At, littleEndianBytes, u32At, u64At } from './little-endian.ts'

test('the bytes are little-endian', () => {
  expect([...littleEndianBytes(Uint32Array.of(0x0403_0201))]).toEqual([1, 2, 3, 4])
  expect([...littleEndianBytes(BigUint64Array.of(0x0807_0605_0403_0201n))]).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
  expect([...littleEndianBytes(Float32Array.of(1))]).toEqual([0, 0, 0x80, 0x3f])
})

test('numbers come back from any offset, and as a view where it is aligned', () => {
  fc.assert(
    fc.property(fc.nat(9), fc.array(fc.integer({ min: 0, max: 0xffff_ffff }), { maxLength: 9 }), (offset, numbers) => {
      const holding = (part: Uint8Array): Uint8Array => {
        const bytes = new Uint8Array(offset + part.length)
        bytes.set(part, offset)
        return bytes
      }
      const u32 = Uint32Array.from(numbers)
      const f32 = Float32Array.from(numbers)
      const u64 = BigUint64Array.from(numbers, (number) => BigInt(number) << 31n)
      const held = holding(littleEndianBytes(u32))
      const read = u32At(held, offset, u32.length)
      expect(read).toEqual(u32)
      expect(read.buffer === held.buffer).toBe(offset % 4 === 0)
      expect(f32At(holding(littleEndianBytes(f32)), offset, f32.length)).toEqual(f32)
      expect(u64At(holding(littleEndianBytes(u64)), offset, u64.length)).toEqual(u64)
    }),
  )
})
