import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { HanziKernel } from './hanzi-kernel.ts'
import { parseHanziTable } from './parse-table.ts'
import { TABLE_HEADER_BYTES, TABLE_MAGIC } from './table-format.ts'

/** Two defined characters (一 and U+20000), one undefined (丁). */
const GAPS = [0x80 | 0x00, 0x80 | 0x1c, 0x01, 0xff, 0xe3, 0x06, 0x81, 0x9c, 0x01]
const DEFINITIONS = [...Buffer.from('one; a, an\nnames — é 丂 𠀀\n')]
const READINGS = [...Buffer.from('yī\n\ndīng\n')]

interface Parts {
  readonly counts?: readonly [number, number]
  readonly gaps?: readonly number[]
  readonly radicals?: readonly number[]
  readonly strokes?: readonly number[]
  readonly definitions?: readonly number[]
  readonly readings?: readonly number[]
}

describe('a hanzi table', () => {
  test('is read as it is laid out', () => {
    const kernel = parseHanziTable(table({})) as HanziKernel
    expect([...kernel.codePoints]).toEqual([0x4e00, 0x2_0000, 0x4e01])
    expect(kernel.definedCount).toBe(2)
    expect(kernel.definitionOf(1)).toBe('names — é 丂 𠀀')
    expect([0, 1, 2].map((row) => kernel.readingOf(row))).toEqual(['yī', '', 'dīng'])
    expect(kernel.rowOf('𠀀')).toBe(1)
    expect(kernel.tokensOf(0)).toEqual(['d:one', 'rad:1', 'str:1'])
    expect(kernel.tokensOf(2)).toEqual(['rad:1', 'str:2'])
    expect(kernel.id).toMatch(/^[0-9a-f]{64}$/)
  })

  test('is read whatever the bytes lie in', () => {
    const bytes = table({})
    const wider = new Uint8Array(bytes.length + 9)
    wider.set(bytes, 5)
    expect((parseHanziTable(wider.subarray(5, 5 + bytes.length)) as HanziKernel).id).toBe((parseHanziTable(bytes) as HanziKernel).id)
  })

  test.each<[string, Uint8Array, RegExp]>([
    ['nothing', new Uint8Array(0), /no hanzi table/],
    ['another format', table({}).with(7, 0x32), /another version/],
    ['more defined than there are', table({ counts: [1, 2] }), /1 characters defined|of 1/],
    ['a byte too many', Uint8Array.of(...table({}), 0), /promises/],
    ['code points that end early', table({ gaps: GAPS.slice(0, 8) }), /code points/],
    ['a surrogate', table({ gaps: [...GAPS.slice(0, 3), 0xff, 0x93, 0x02, ...GAPS.slice(6)] }), /outside Unicode/],
    ['a gap not in its shortest form', table({ gaps: [0x80, 0x9c, 0x01, 0x80, 0x00, ...GAPS.slice(6)] }), /shortest form/],
    ['a character in both groups', table({ gaps: [...GAPS.slice(0, 6), ...GAPS.slice(0, 3)] }), /both groups/],
    ['radical 0', table({ radicals: [1, 0, 1] }), /radical/],
    ['radical 215', table({ radicals: [1, 215, 1] }), /radical/],
    ['no strokes', table({ strokes: [1, 1, 0] }), /strokes/],
    ['an empty definition', table({ definitions: [...Buffer.from('one\n\n')] }), /definitions/],
    ['a definition too few', table({ definitions: [...Buffer.from('one\n')] }), /definitions/],
    ['an unended definition', table({ definitions: [...Buffer.from('one\ntwo')] }), /definitions/],
    ['malformed UTF-8', table({ definitions: [0x61, 0x0a, 0xc0, 0x80, 0x0a] }), /definitions/],
    ['a UTF-8 surrogate', table({ definitions: [0x61, 0x0a, 0xed, 0xa0, 0x80, 0x0a] }), /definitions/],
    ['a reading too many', table({ readings: [...READINGS, 0x0a] }), /readings/],
  ])('with %s is refused with the reason', (_, bytes, reason) => {
    const result = parseHanziTable(bytes)
    expect('error' in result && result.error).toMatch(reason)
  })

  test('is never a reason to throw', () => {
    const good = table({})
    const damaged = fc.array(fc.tuple(fc.nat({ max: good.length - 1 }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 }).map((changes) => {
      const bytes = good.slice()
      for (const [at, value] of changes) bytes[at] = value
      return bytes
    })
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 80 }), damaged), (bytes) => {
        const result = parseHanziTable(bytes)
        if ('error' in result) expect(result.error).not.toBe('')
        else expect(result.codePoints.length).toBeGreaterThanOrEqual(result.definedCount)
      }),
      { numRuns: 2_000 },
    )
  })
})

function table(parts: Parts): Uint8Array {
  const { counts = [3, 2], gaps = GAPS, radicals = [1, 1, 1], strokes = [1, 6, 2], definitions = DEFINITIONS, readings = READINGS } = parts
  const header = new DataView(new ArrayBuffer(TABLE_HEADER_BYTES))
  TABLE_MAGIC.forEach((byte, at) => header.setUint8(at, byte))
  for (const [slot, value] of [...counts, gaps.length, definitions.length, readings.length].entries()) header.setUint32(8 + 4 * slot, value, true)
  return Uint8Array.of(...new Uint8Array(header.buffer), ...gaps, ...radicals, ...strokes, ...definitions, ...readings)
}
