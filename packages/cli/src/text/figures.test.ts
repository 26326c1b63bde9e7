import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { displayWidth } from './display-width.ts'
import { ago, bar, bytes, count, duration, hex, percent, rate, shortPeer } from './figures.ts'

describe('figures for people', () => {
  test.each([
    [-5, '0s'],
    [0, '0s'],
    [31_000, '31s'],
    [59_600, '1m00s'],
    [187_000, '3m07s'],
    [11_220_000, '3h07m'],
    [274_260_000, '3d 04:11'],
  ])('%i ms is %s', (ms, text) => expect(duration(ms)).toBe(text))

  test('how long ago', () => {
    expect([ago(null), ago(100), ago(9_000)]).toEqual(['never', 'now', '9s'])
  })

  test.each([
    [0, '0'],
    [Number.NaN, '0'],
    [950, '950/s'],
    [8.1e9, '8.1 G/s'],
    [31.44e9, '31.4 G/s'],
    [999_600, '1.0 M/s'],
    [123_456_789, '123 M/s'],
  ])('%f colours per second are %s', (value, text) => expect(rate(value)).toBe(text))

  test('bytes and counts', () => {
    expect([bytes(0), bytes(1_023), bytes(1_023.9), bytes(1_503_238_553)]).toEqual(['0 B', '1023 B', '1.0 KiB', '1.4 GiB'])
    expect([count(0), count(999), count(3_912), count(1_048_576)]).toEqual(['0', '999', '3,912', '1,048,576'])
  })

  test('a share is whole or nothing only when it is', () => {
    expect([percent(0), percent(1e-9), percent(0.78), percent(0.9999), percent(1), percent(Number.NaN)]).toEqual([
      '0%',
      '1%',
      '78%',
      '99%',
      '100%',
      '0%',
    ])
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (share) => {
        expect(percent(share) === '100%').toBe(share === 1)
      }),
    )
  })

  test('a bar keeps its width and is full only when done', () => {
    fc.assert(
      fc.property(fc.double({ min: -1, max: 2 }), fc.integer({ min: 1, max: 40 }), (share, width) => {
        const drawn = bar(share, width)
        expect(displayWidth(drawn)).toBe(width)
        expect(drawn.includes('·')).toBe(!(share >= 1))
      }),
    )
  })

  test('ids and hex', () => {
    expect(shortPeer('12D3KooWAtlasAtlasx7Qp')).toBe('12D3Koo…x7Qp')
    expect(hex(0xab11046cn, 8)).toBe('0xab11046c')
    expect(hex(1n)).toBe('0x0000000000000001')
  })
})
