import fc from 'fast-check'
import { Packr } from 'msgpackr'
import { describe, expect, test } from 'vitest'
import { decodeBody, encodeBody, type Plain } from './msgpack.ts'

const LIMITS = { bytes: 1 << 20, values: 1 << 16 }
const U64_MAX = (1n << 64n) - 1n

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'))
const ascii = fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCodePoint(code)), maxLength: 300 })

/** Values of the subset: whole numbers below 2^32 as numbers, larger ones as bigints. */
const leaf: fc.Arbitrary<Plain> = fc.oneof(
  fc.boolean(),
  fc.integer({ min: 0, max: 0xffff_ffff }),
  fc.bigInt({ min: 1n << 32n, max: U64_MAX }),
  fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }).filter((value) => !Number.isInteger(value) || value > 0xffff_ffff),
  ascii,
  fc.uint8Array({ maxLength: 300 }),
)
const plain: fc.Arbitrary<Plain> = fc.oneof(leaf, fc.array(fc.oneof(leaf, fc.array(leaf)), { maxLength: 40 }))

describe('canonical bodies (docs/protocol.md §2.1)', () => {
  test('what is written is read back', () => {
    fc.assert(
      fc.property(plain, (value) => {
        expect(decodeBody(encodeBody(value), LIMITS)).toEqual({ type: 'accept', value })
      }),
      { numRuns: 500 },
    )
  })

  test('any bytes that are taken are the bytes that would be written', () => {
    const nearly = plain.chain((value) =>
      fc.tuple(fc.constant(encodeBody(value)), fc.nat(), fc.nat(255)).map(([bytes, place, byte]) => bytes.with(place % bytes.length, byte)),
    )
    fc.assert(
      fc.property(fc.oneof(nearly, fc.uint8Array({ maxLength: 40 })), (bytes) => {
        const read = decodeBody(bytes, LIMITS)
        if (read.type === 'accept') expect(encodeBody(read.value)).toEqual(bytes)
      }),
      { numRuns: 5_000 },
    )
  })

  test('each value has the form that other libraries give it too', () => {
    const forms: readonly [Plain, string][] = [
      [0, '00'],
      [127, '7f'],
      [128, 'cc80'],
      [255, 'ccff'],
      [256, 'cd0100'],
      [65_535, 'cdffff'],
      [65_536, 'ce00010000'],
      [0xffff_ffff, 'ceffffffff'],
      [1n << 32n, 'cf0000000100000000'],
      [(1n << 63n) - 1n, 'cf7fffffffffffffff'],
      [U64_MAX, 'cfffffffffffffffff'],
      [0.5, 'cb3fe0000000000000'],
      [true, 'c3'],
      [false, 'c2'],
      ['a'.repeat(31), `bf${'61'.repeat(31)}`],
      ['a'.repeat(32), `d920${'61'.repeat(32)}`],
      ['a'.repeat(256), `da0100${'61'.repeat(256)}`],
      [new Uint8Array(2), 'c4020000'],
      [new Uint8Array(256), `c50100${'00'.repeat(256)}`],
      [[], '90'],
      [Array.from({ length: 16 }, () => 0), `dc0010${'00'.repeat(16)}`],
    ]
    for (const [value, form] of forms) expect(Buffer.from(encodeBody(value)).toString('hex')).toBe(form)
  })

  test('what is written stays as it is while more is written', () => {
    const first = encodeBody(['a', 1])
    const copy = first.slice()
    for (let i = 0; i < 100; i++) encodeBody([i, 'b'.repeat(i)])
    expect(first).toEqual(copy)
  })

  test('reading leaves nothing on the array that it read', () => {
    const bytes = encodeBody([1, new Uint8Array(3)])
    decodeBody(bytes, LIMITS)
    expect(Object.keys(bytes).filter((key) => !/^\d+$/.test(key))).toEqual([])
  })

  test.each([
    ['nothing', '', 'ends in the middle of a value'],
    ['a number in more bytes than it needs', 'cc 05', 'a number or length that is not in its shortest form'],
    ['a number below 2^32 as uint64', 'cf 00000000ffffffff', 'a number or length that is not in its shortest form'],
    ['a signed number', 'd3 0000000100000000', 'type 0xd3, which no message has'],
    ['a negative number', 'ff', 'type 0xff, which no message has'],
    ['a single-precision float', 'ca 3f000000', 'type 0xca, which no message has'],
    ['a whole number as a float', 'cb 3ff0000000000000', 'a whole number written as a float'],
    ['NaN', 'cb 7ff8000000000000', 'a float that is negative or not finite'],
    ['an infinity', 'cb 7ff0000000000000', 'a float that is negative or not finite'],
    ['a negative float', 'cb bfe0000000000000', 'a float that is negative or not finite'],
    ['-0', 'cb 8000000000000000', 'a whole number written as a float'],
    ['nil', 'c0', 'type 0xc0, which no message has'],
    ['a map', '81 a161 01', 'type 0x81, which no message has'],
    ['a map with a key __proto__', '81 a9 5f5f70726f746f5f5f 90', 'type 0x81, which no message has'],
    ['a large map', 'df ffffffff', 'type 0xdf, which no message has'],
    ['an extension', 'd6 ff 00000000', 'type 0xd6, which no message has'],
    ["the library's records", 'd4 72 40 91 a161', 'type 0xd4, which no message has'],
    ['a long extension', 'c9 ffffffff 01', 'type 0xc9, which no message has'],
    ['a byte string that claims 4 GiB', 'c6 ffffffff 00', 'ends in the middle of a value'],
    ['a text that claims 4 GiB', 'db ffffffff', 'type 0xdb, which no message has'],
    ['a list that claims 4,294,967,295 elements', 'dd ffffffff 00', 'ends in the middle of a value'],
    ['a short text in a long form', 'd9 01 61', 'a number or length that is not in its shortest form'],
    ['a short list in a long form', 'dc 0001 00', 'a number or length that is not in its shortest form'],
    ['a control character', 'a2 1b63', 'a text with a character outside printable ASCII'],
    ['a character beyond ASCII', 'a2 c3a9', 'a text with a character outside printable ASCII'],
    ['bytes behind the value', '90 00', '1 bytes behind the value'],
    ['a list that ends early', '93 01 02', 'ends in the middle of a value'],
    ['five lists within one another', '91 91 91 91 90', 'more than 4 arrays within one another'],
    ['500,000 lists within one another', '91'.repeat(500_000), 'more than 4 arrays within one another'],
    ['more values than a message has', `dd 0001ffff${'00'.repeat(0x1ffff)}`, 'more than 65536 values'],
    ['more bytes than a message has', '00'.repeat((1 << 20) + 1), '1048577 bytes, more than 1048576'],
  ])('%s is refused', (_, bytes, reason) => {
    expect(decodeBody(hex(bytes), LIMITS)).toEqual({ type: 'reject', reason })
  })

  test('the scan is what holds: the library alone takes maps, extensions and long forms', () => {
    const packr = new Packr({ useRecords: false })
    expect(packr.unpack(hex('81 a161 01'))).toEqual({ a: 1 })
    expect(packr.unpack(hex('cc 05'))).toBe(5)
  })
})
