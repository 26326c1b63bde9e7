import { type ColourKernelId, GOLDEN, rangeXor } from '@sgsd/color'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canaryFault } from '../canary.ts'
import { MAX_TILES, type Sweep, tileFor } from './gpu-device.ts'
import { type ColourDevice, GpuEngine } from './gpu-engine.ts'
import { DISPATCH_MS, MOST_COLOURS, Pace } from './pace.ts'
import { nextPiece, type Piece } from './pieces.ts'

/** 1 / GOLDEN modulo 2^64: the index of a base when the seed is 0. */
const PER_GOLDEN = 0xf1de83e19937733dn

/** A device that computes with the reference kernel, and is lost in every `lostEvery`th dispatch; takes at most two at a time. */
class FakeDevice implements ColourDevice {
  readonly name = 'a fake card'
  static opened = 0
  static destroyed = 0
  readonly #lost: (() => boolean) | undefined
  #underWay = 0

  constructor(lost?: () => boolean) {
    this.#lost = lost
    FakeDevice.opened++
  }

  submit({ kernel, base, length, runs }: Sweep) {
    expect(++this.#underWay).toBeLessThanOrEqual(2)
    expect(runs * Math.ceil(length / tileFor(length, runs))).toBeLessThanOrEqual(MAX_TILES)
    return {
      finish: async () => {
        if (this.#lost?.() === true) throw new DOMException('device lost', 'AbortError')
        this.#underWay--
        const start = base * PER_GOLDEN - 1n
        const xors = Array.from({ length: runs }, (_, run) => rangeXor(kernel, 0n, start + BigInt(run * length), BigInt(length)))
        return Uint32Array.from(xors.flatMap((xor) => [Number(xor & 0xffff_ffffn), Number(xor >> 32n)]))
      },
    }
  }

  destroy(): void {
    FakeDevice.destroyed++
  }
}

test('the fake card knows the index of a base', () => {
  expect(BigInt.asUintN(64, GOLDEN * PER_GOLDEN)).toBe(1n)
})

test('passes the canary', async () => {
  expect(await canaryFault(await GpuEngine.on(async () => new FakeDevice()))).toBeUndefined()
})

const call = {
  kernel: fc.constantFrom<ColourKernelId>('spi64', 'turbo32'),
  seed: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  length: fc.oneof(fc.nat(999), fc.integer({ min: 2 ** 18 - 5, max: 2 ** 18 + 5 })),
  runs: fc.nat(4),
}

describe('a device that is lost', () => {
  test('again and again is requested again, and what it owed is dispatched again', async () => {
    await fc.assert(
      fc.asyncProperty(call.kernel, call.seed, call.length, call.runs, fc.integer({ min: 2, max: 5 }), async (kernel, seed, length, runs, every) => {
        let dispatches = 0
        const engine = await GpuEngine.on(async () => new FakeDevice(() => ++dispatches % every === 0))
        const out = new BigUint64Array(runs).fill(5n)
        await engine.xorRuns(kernel, seed, 9n, length, out)
        expect([...out]).toEqual(Array.from(out, (_, run) => rangeXor(kernel, seed, 9n + BigInt(run * length), BigInt(length))))
      }),
      { numRuns: 25 },
    )
  })

  test('at once each time is given up, and each one was given back', async () => {
    FakeDevice.opened = FakeDevice.destroyed = 0
    const engine = await GpuEngine.on(async () => new FakeDevice(() => true))
    await expect(engine.xorRuns('spi64', 0n, 0n, 9, new BigUint64Array(1))).rejects.toThrow('device lost')
    expect([FakeDevice.opened, FakeDevice.destroyed]).toEqual([4, 3])
    await engine.close()
    expect(FakeDevice.destroyed).toBe(4)
  })
})

test('pieces cover every colour once, in order, none above the budget', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 50 }),
      fc.nat(12),
      fc.integer({ min: 1, max: 5 }),
      fc.infiniteStream(fc.integer({ min: 1, max: 120 })),
      (length, runs, mostRuns, budgets) => {
        let covered = 0
        for (let piece: Piece | undefined; ;) {
          const budget = budgets.next().value as number
          piece = nextPiece(piece, length, runs, budget, mostRuns)
          if (piece === undefined) break
          expect(piece.run * length + piece.offset).toBe(covered)
          expect(piece.runs).toBeLessThanOrEqual(mostRuns)
          expect(piece.runs * piece.length).toBeLessThanOrEqual(budget)
          if (piece.runs > 1) expect([piece.offset, piece.length]).toEqual([0, length])
          covered += piece.runs * piece.length
        }
        expect(covered).toBe(length * runs)
      },
    ),
  )
})

test('tiles of any dispatch fit its buffers', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 30 }), fc.integer({ min: 1, max: MAX_TILES }), (length, wanted) => {
      const runs = Math.min(wanted, Math.max(1, Math.floor(MOST_COLOURS / length)))
      expect(runs * Math.ceil(length / tileFor(length, runs))).toBeLessThanOrEqual(MAX_TILES)
    }),
  )
  expect(tileFor(2 ** 20 + 1, 32_767)).toBe(2 ** 20)
  expect(tileFor(1, 65_535)).toBe(2 ** 14)
})

describe('the pace', () => {
  /** Lets dispatches of its own choice run on a card of so many colours a ms. */
  function settle(coloursPerMs: number, dispatches: number, pace = new Pace()): Pace {
    for (let i = 0; i < dispatches; i++) pace.observe(pace.budget, 0.1 + pace.budget / coloursPerMs)
    return pace
  }

  test.each([20e3, 1e6, 1e9])('settles on dispatches of 8 ms at %d colours/ms', (coloursPerMs) => {
    const ms = settle(coloursPerMs, 40).budget / coloursPerMs
    expect(ms).toBeGreaterThan(0.9 * DISPATCH_MS)
    expect(ms).toBeLessThanOrEqual(DISPATCH_MS)
  })

  test('slows down at once when the GPU is busy, and comes back', () => {
    const pace = settle(1e9, 40)
    const before = pace.budget
    pace.observe(before, 50 * DISPATCH_MS)
    expect(pace.budget).toBeLessThan(before / 40)
    expect(settle(1e9, 20, pace).budget).toBeGreaterThan(0.9 * before)
  })

  test('learns nothing from a dispatch that was small', () => {
    const pace = settle(1e6, 40)
    const before = pace.budget
    pace.observe(1, 1)
    expect(pace.budget).toBe(before)
  })
})
