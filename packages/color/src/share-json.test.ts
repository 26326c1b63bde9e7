import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { disguise, parseShares, shareDocument } from './index.ts'

const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })

describe('shares as JSON', () => {
  test('are read back: one, one a line, or in a list', () => {
    fc.assert(
      fc.property(u64, u64, fc.uint8Array({ maxLength: 40 }), (key, start, message) => {
        const shares = disguise(key, start, message)
        const documents = shares.map(shareDocument)
        expect(parseShares(JSON.stringify(documents[1]))).toEqual({ ok: true, shares: [shares[1]] })
        expect(parseShares(documents.map((document) => JSON.stringify(document)).join('\n'))).toEqual({ ok: true, shares })
        expect(parseShares(JSON.stringify({ schema: 'sgsd.disguise/1', shares: documents }))).toEqual({ ok: true, shares })
      }),
    )
  })

  const share = shareDocument(disguise(1n, 2n, new Uint8Array(3))[0])
  test.each([
    ['', 'there is nothing in it'],
    ['{', 'it is not JSON'],
    ['[]', 'schema is not sgsd.share/1'],
    [JSON.stringify({ ...share, schema: 'sgsd.share/2' }), 'schema is not sgsd.share/1'],
    [JSON.stringify({ ...share, share: 'minus' }), 'share is not MINUS, ERGODIC or PLUS'],
    [JSON.stringify({ ...share, start: -1 }), 'start is not a whole number of 64 bits'],
    [JSON.stringify({ ...share, blocks: 1 }), 'blocks is not a list of up to 131074 numbers'],
    [JSON.stringify({ ...share, blocks: ['0x1', 1.5] }), 'block 1 is not a whole number of 64 bits'],
  ])('%j is refused: %s', (text, reason) => {
    expect(parseShares(text)).toEqual({ ok: false, reason: `not a share: ${reason}` })
  })

  test('arbitrary text never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(parseShares(text)).toMatchObject({ ok: false })
      }),
    )
  })
})
