import { type ClaimContext, claimRoot } from '@sgsd/consensus'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { openClaimCompute } from './open-claim-compute.ts'
import { WasmMerkle } from './wasm-merkle.ts'

const merkle = new WasmMerkle()
const compute = openClaimCompute()
afterAll(() => compute.close())

const hex32 = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex'))
const claim = fc
  .record({
    values: fc.bigUint64Array({ minLength: 1, maxLength: 300 }),
    meshId: hex32,
    rosterHash: hex32,
    // lengths on both sides of every block border
    author: fc.stringMatching(/^[1-9A-HJ-NP-Za-km-z]{1,200}$/),
    epoch: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
    start: fc.nat(2 ** 24),
  })
  .map(({ values, start, ...rest }) => ({ values, context: { ...rest, run: { start, count: values.length } } as ClaimContext }))

test('the vectorised root is the reference root', () => {
  fc.assert(
    fc.property(claim, ({ context, values }) => {
      expect(merkle.root(context, values)).toBe(claimRoot(context, values))
    }),
    { numRuns: 200 },
  )
})

test('one changed bit changes it', () => {
  fc.assert(
    fc.property(claim, fc.nat(), fc.nat(63), ({ context, values }, place, bit) => {
      const other = values.slice()
      other[place % values.length]! ^= 1n << BigInt(bit)
      expect(merkle.root(context, other)).not.toBe(merkle.root(context, values))
    }),
    { numRuns: 50 },
  )
})

test('the worker gives it too, also for the largest claim and for a view into a larger buffer', async () => {
  const whole = BigUint64Array.from({ length: 16_390 }, (_, i) => 0x9e3779b97f4a7c15n * BigInt(i))
  const values = whole.subarray(3, 3 + 16_384)
  const context = {
    meshId: '11'.repeat(32),
    epoch: 1n,
    rosterHash: '22'.repeat(32),
    author: '12D3KooW',
    run: { start: 7, count: values.length },
  } as ClaimContext
  expect(await compute.root(context, values)).toBe(claimRoot(context, values))
  expect(values[0]).toBe(whole[3])
})

test('a wrong number of values is refused', async () => {
  const context = { meshId: '11'.repeat(32), epoch: 1n, rosterHash: '22'.repeat(32), author: 'x', run: { start: 0, count: 2 } } as ClaimContext
  await expect(compute.root(context, new BigUint64Array(3))).rejects.toThrow(/2 chunks.*3 values/)
})
