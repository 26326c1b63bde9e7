import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ln } from './ln.ts'

describe('the deterministic logarithm', () => {
  test('is within 2 ulp of Math.log, which is itself within 1', () => {
    const positive = fc.double({ min: 5e-324, max: Number.MAX_VALUE, noNaN: true, noDefaultInfinity: true })
    const near = fc.double({ min: 0.5, max: 2, noNaN: true })
    const counts = fc.nat({ max: Number.MAX_SAFE_INTEGER - 1 }).map((n) => n + 1)
    fc.assert(
      fc.property(fc.oneof(positive, near, counts), (x) => {
        const exact = Math.log(x)
        expect(Math.abs(ln(x) - exact)).toBeLessThanOrEqual(2 * ulp(exact))
      }),
      { numRuns: 5_000 },
    )
  })

  test('has these bits on every machine', () => {
    const bits = [1, 2, 3, 10, 256, 0.75, 1e300, 5e-324, 2 ** 53].map((x) => bitsOf(ln(x)))
    expect(bits).toEqual([
      '0000000000000000',
      '3fe62e42fefa39ef',
      '3ff193ea7aad030a',
      '40026bb1bbb55516',
      '40162e42fefa39ef',
      'bfd269621134db92',
      '4085963447f87fb5',
      'c0874385446d71c3',
      '40425e4f7b2737fa',
    ])
  })

  test('of powers of two is that many times ln 2', () => {
    for (let e = -1_000; e <= 1_000; e++) expect(Math.abs(ln(2 ** e) - e * Math.LN2)).toBeLessThanOrEqual(ulp(e * Math.LN2))
  })

  test('does not fall where its argument grows by one count', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 41 }), (n) => {
        expect(ln(n + 1)).toBeGreaterThanOrEqual(ln(n))
      }),
    )
  })

  test.each([0, -0, -1, Infinity, Number.NaN])('%d has none', (x) => {
    expect(() => ln(x)).toThrow(RangeError)
  })
})

function ulp(x: number): number {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, Math.abs(x))
  view.setBigUint64(0, view.getBigUint64(0) + 1n)
  return view.getFloat64(0) - Math.abs(x)
}

function bitsOf(x: number): string {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, x)
  return view.getBigUint64(0).toString(16).padStart(16, '0')
}
