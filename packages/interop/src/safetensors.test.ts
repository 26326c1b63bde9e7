import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeSafetensors, parseSafetensors } from './safetensors.ts'
import type { TensorFile } from './tensor-file.ts'
import { byName, mutated, tensorFile } from './tensors.fixture.ts'
import { encodeTorch, parseTorch } from './torch-file.ts'

function file(header: unknown, data = new Uint8Array(0)): Uint8Array {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(json.length))
  return new Uint8Array(Buffer.concat([length, json, data]))
}

function parsed(bytes: Uint8Array): TensorFile {
  const verdict = parseSafetensors(bytes)
  if (verdict.type !== 'accept') throw new Error(verdict.reason)
  return verdict.value
}

const tensor = (from: number, to: number, shape = [(to - from) / 4], dtype = 'F32'): unknown => ({ dtype, shape, data_offsets: [from, to] })

describe('a .safetensors file', () => {
  test('comes back to the bit, equal files have equal bytes, and .pt holds the same', () => {
    fc.assert(
      fc.property(tensorFile, (given) => {
        const bytes = encodeSafetensors(given)
        expect(byName(parsed(bytes))).toEqual(byName(given))
        expect(encodeSafetensors(parsed(bytes))).toEqual(bytes)
        const torch = parseTorch(encodeTorch(given))
        expect(torch.type === 'accept' && encodeSafetensors(torch.value)).toEqual(bytes)
      }),
    )
  })

  test('has the layout of the format: header of a multiple of 8 bytes, widest tensors first', () => {
    fc.assert(
      fc.property(tensorFile, (given) => {
        const bytes = encodeSafetensors(given)
        const length = Number(new DataView(bytes.buffer).getBigUint64(0, true))
        expect(length % 8).toBe(0)
        const header = JSON.parse(Buffer.from(bytes.subarray(8, 8 + length)).toString()) as Record<string, { dtype: string; data_offsets: number[] }>
        const tensors = Object.entries(header).filter(([name]) => name !== '__metadata__')
        const byPlace = tensors
          .map(([, about]) => about)
          .sort((a, b) => a.data_offsets[0]! - b.data_offsets[0]! || a.data_offsets[1]! - b.data_offsets[1]!)
        const firstFloat = byPlace.findIndex(({ dtype, data_offsets: [from, to] }) => dtype === 'F32' && from !== to)
        if (firstFloat !== -1)
          expect(byPlace.slice(firstFloat).some(({ dtype, data_offsets: [from, to] }) => dtype === 'I64' && from !== to)).toBe(false)
      }),
    )
  })

  test('of somebody else is read', () => {
    const data = new Uint8Array(Float32Array.of(1, 2, 3).buffer)
    const { tensors, meta } = parsed(file({ w: tensor(4, 12, [2, 1]), v: tensor(0, 4, []) }, data))
    expect(tensors.get('w')).toEqual({ layout: 'dense', dtype: 'f32', shape: [2, 1], bytes: data.subarray(4) })
    expect(tensors.get('v')).toMatchObject({ shape: [] })
    expect(meta.size).toBe(0)
  })
})

describe('refused', () => {
  const data = new Uint8Array(8)
  test.each([
    ['too short', new Uint8Array(7)],
    ['a header past the end', Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d)],
    ['a header of 2^63 bytes', Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0x80, 0x7b, 0x7d)],
    ['no JSON', file('{"a"')],
    ['an array', file('[]')],
    ['a header that is not UTF-8', Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0xff, 0x7d)],
    ['nested without end', file(`{"a":${'['.repeat(100_000)}`)],
    ['metadata that are no strings', file({ __metadata__: { a: 1 } })],
    ['metadata that are a list', file({ __metadata__: ['a'] })],
    ['an unknown type', file({ a: tensor(0, 8, [8], 'F8_E4M3') }, data)],
    ['a further key', file({ a: { ...(tensor(0, 8) as object), b: 1 } }, data)],
    ['null', file({ a: null }, data)],
    ['offsets past the end', file({ a: tensor(0, 12) }, data)],
    ['offsets that fall', file({ a: tensor(8, 4, [1]) }, data)],
    ['offsets that are no whole numbers', file({ a: tensor(0.5, 8, [2]) }, data)],
    ['a negative size', file({ a: tensor(0, 8, [-2]) }, data)],
    ['sizes whose product is too large', file({ a: tensor(0, 8, [2 ** 52, 2 ** 52]) }, data)],
    ['a shape that does not fit', file({ a: tensor(0, 8, [3]) }, data)],
    ['an overlap', file({ a: tensor(0, 8), b: tensor(4, 8) }, data)],
    ['a hole', file({ a: tensor(0, 4), b: tensor(8, 8, [0]) }, data)],
    ['bytes behind the last tensor', file({ a: tensor(0, 4) }, data)],
    [
      'a matrix whose coordinates do not fit',
      file({ __metadata__: { 'm.shape': '2 2' }, 'm.indices': tensor(0, 0, [2, 0], 'I64'), 'm.values': tensor(0, 8) }, data),
    ],
  ])('%s', (_, bytes) => {
    expect(parseSafetensors(bytes).type).toBe('reject')
  })

  test('or read: any change, and nothing throws', () => {
    const sample = fc.sample(tensorFile, { numRuns: 20, seed: 7 }).map(encodeSafetensors)
    fc.assert(
      fc.property(fc.constantFrom(...sample).chain(mutated), (bytes) => {
        const verdict = parseSafetensors(bytes)
        if (verdict.type !== 'accept') return
        for (const each of verdict.value.tensors.values()) {
          for (const part of each.layout === 'dense' ? [each] : [each.indices, each.values]) expect(part.bytes.buffer).toBe(bytes.buffer)
        }
      }),
      { numRuns: 3_000 },
    )
  })
})
