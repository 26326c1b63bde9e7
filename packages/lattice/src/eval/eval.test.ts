import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EvidenceCounts } from '../evidence/counts.ts'
import { letterKernel } from '../evidence/evidence.fixture.ts'
import { answersOf, greatest } from './association.ts'
import { Bootstrap } from './bootstrap.ts'
import { examineGuesses, examineRetrieval } from './examine.ts'
import { pmiOf } from './pmi.ts'
import { SplitMix32 } from './random.ts'
import { leftSingular, type SparseColumns } from './singular.ts'
import { dealt, distinctDocuments, documentsOf, linesOf, splitDocuments } from './split.ts'
import { CANDIDATES, tasksOf } from './tasks.ts'
import { inverseFrequency, tfIdfScorer } from './tf-idf.ts'

const seeds = fc.nat(0xffff_ffff)

describe('chance', () => {
  test('has these numbers on every machine, others for another seed or stream', () => {
    const take = (seed: number, stream?: number): number[] => {
      const random = new SplitMix32(seed, stream)
      return [random.next(), random.next(), random.next()]
    }
    expect(take(1)).toEqual([3_334_161_691, 1_846_344_180, 2_557_548_802])
    expect(take(1)).not.toEqual(take(2))
    expect(take(1, 1)).not.toEqual(take(1, 2))
  })

  test('shuffles every item to every place about as often', () => {
    const places = new Uint32Array(16)
    const random = new SplitMix32(7)
    for (let i = 0; i < 16_000; i++) for (const [place, item] of random.shuffled([0, 1, 2, 3]).entries()) places[4 * item + place]!++
    for (const count of places) expect(Math.abs(count - 4_000)).toBeLessThan(250)
  })
})

describe('splits', () => {
  const documents = fc.array(
    fc.array(
      fc.string({ minLength: 1, maxLength: 3 }).map((line) => line.replaceAll(/\s/g, 'x')),
      { minLength: 1 },
    ),
  )

  test('documents are what stands between empty lines, and come back', () => {
    expect(documentsOf(['', 'a', 'b', '', '', 'c', ''])).toEqual([['a', 'b'], ['c']])
    fc.assert(
      fc.property(documents, (list) => {
        expect(documentsOf(linesOf(list))).toEqual(list)
      }),
    )
  })

  test('can leave out documents that share a telling line with an earlier one', () => {
    const [first, again, refrain, other] = [
      ['床前明月光', '疑是地上霜'],
      ['疑是地上霜', '舉頭望明月'],
      ['嗚呼', '春眠不覺曉'],
      ['嗚呼', '處處聞啼鳥'],
    ]
    expect(distinctDocuments([first, again, refrain, other])).toEqual([first, refrain, other])
    // what is left out tells of nothing itself
    expect(distinctDocuments([first, again, ['舉頭望明月']])).toEqual([first, ['舉頭望明月']])
  })

  test('learn from nine tenths and examine the last, whole documents, all of them, the same for the same seed', () => {
    fc.assert(
      fc.property(fc.nat(200), seeds, (size, seed) => {
        const list = Array.from({ length: size }, (_, i) => [`${i}`])
        const { train, test: examined } = splitDocuments(list, seed)
        expect(examined).toHaveLength(Math.round(size / 10))
        expect(new Set([...train, ...examined])).toEqual(new Set(list))
        expect(train.length + examined.length).toBe(size)
        expect(splitDocuments(list, seed)).toEqual({ train, test: examined })
      }),
    )
  })

  test('hands hold everything once and differ by one at most', () => {
    fc.assert(
      fc.property(fc.nat(100), fc.integer({ min: 1, max: 9 }), (size, count) => {
        const list = Array.from({ length: size }, (_, i) => [`${i}`])
        const hands = dealt(list, count)
        expect(hands.flat()).toEqual(list)
        const sizes = hands.map(({ length }) => length)
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
      }),
    )
  })
})

describe('the examination', () => {
  const kernel = letterKernel(8)
  const documents = Array.from({ length: 40 }, (_, i) => ['ab', 'cd', 'efg', i % 2 === 0 ? 'gh' : 'hg'])
  const tasks = tasksOf(kernel, splitDocuments(documents, 1), 1)

  test('asks for every line with a next line, among lines of its own length', () => {
    expect(tasks.pairs).toHaveLength(4 * 3)
    for (const { line, next, others } of tasks.pairs) {
      expect(next).toBe(line + 1)
      expect(others).toHaveLength(CANDIDATES - 1)
      for (const other of others) expect(tasks.lines[other]).toHaveLength(tasks.lines[line]!.length)
    }
    expect(tasksOf(kernel, splitDocuments(documents, 1), 1, 5).pairs).toEqual(tasks.pairs.slice(0, 5))
  })

  test('who knows the answer is first, who knows nothing in the middle, who has it backwards last', () => {
    const mrr = (score: (query: number, candidate: number) => number): number => {
      const sums = examineRetrieval(tasks, (query) => (candidate) => score(query, candidate)).mrr
      return new Bootstrap(tasks.documents, 1).share(sums).value
    }
    const next = new Set(tasks.pairs.map((pair) => `${pair.line} ${pair.next}`))
    const known = (query: number, candidate: number): number => (next.has(`${query} ${candidate}`) ? 1 : 0)
    // the true line may have been drawn among the others as well: then they share a place
    expect(mrr(known)).toBeGreaterThan(0.5)
    expect(mrr(() => 0)).toBeCloseTo(1 / 250.5, 12)
    expect(mrr((query, candidate) => -known(query, candidate))).toBeLessThan(1 / 250.5)
  })

  test('guesses count by the characters of the next line', () => {
    const share = (rows: readonly number[]): number => new Bootstrap(tasks.documents, 1).share(examineGuesses(tasks, () => rows)).value
    expect(share([0, 1, 2, 3, 4, 5, 6, 7])).toBe(1)
    expect(share([])).toBe(0)
    // cd of 7 wanted characters: 2 + 3 + 2
    expect(share([2, 3])).toBeCloseTo(2 / 7, 12)
  })

  test('characters that the training text does not have are no part of it', () => {
    const split = { train: [['ab', 'b']], test: [['ac', 'bd', 'c']] }
    expect(tasksOf(kernel, split, 1).lines.map((rows) => [...rows])).toEqual([[0], [1], []])
  })
})

describe('intervals', () => {
  test('hold the figure, are the same for the same seed, and of a ratio to itself are 1', () => {
    const part = fc.array(fc.tuple(fc.nat(5), fc.integer({ min: 1, max: 5 })), { minLength: 20, maxLength: 40 }).map((list) => ({
      hits: Float64Array.from(list, ([hits, more]) => Math.min(hits, more) + 1),
      of: Float64Array.from(list, ([, more]) => more + 1),
    }))
    fc.assert(
      fc.property(part, seeds, (sums, seed) => {
        const bootstrap = new Bootstrap(sums.of.length, seed)
        const { value, ci95 } = bootstrap.share(sums)
        expect(ci95[0]).toBeLessThanOrEqual(value)
        expect(ci95[1]).toBeGreaterThanOrEqual(value)
        expect(new Bootstrap(sums.of.length, seed).share(sums)).toEqual({ value, ci95 })
        expect(bootstrap.ratio(sums, sums)).toEqual({ value: 1, ci95: [1, 1] })
      }),
      { numRuns: 20 },
    )
  })
})

describe('baselines', () => {
  test('PMI is the logarithm of the pair over chance, its row smoothed by ¾', () => {
    const counts = new EvidenceCounts(3)
    // c[v][u]: 1 follows 0 twice, 2 follows 0 once, 2 follows 1 once
    counts.add(1, 0, 2)
    counts.add(2, 0, 1)
    counts.add(2, 1, 1)
    const { ptr, cols, vals } = pmiOf(counts.snapshot())
    const smoothed = 2 ** 0.75 + 2 ** 0.75
    expect([...ptr]).toEqual([0, 2, 3, 3])
    expect([...cols]).toEqual([1, 2, 2])
    expect(vals[0]).toBeCloseTo(Math.log(2 / (3 * (2 ** 0.75 / smoothed))), 12)
    expect(vals[2]).toBeCloseTo(Math.log(1 / (1 * (2 ** 0.75 / smoothed))), 12)
  })

  test('associations add up, a prior with them, and the greatest come first', () => {
    const association = { rows: 3, ptr: Uint32Array.of(0, 2, 3, 3), cols: Uint32Array.of(1, 2, 2), vals: Float64Array.of(1, 2, 4) }
    const lines = [Uint32Array.of(0, 1), Uint32Array.of(1, 2), new Uint32Array(0)]
    const { scorer, guesser } = answersOf(association, lines, Float64Array.of(9, 0, -Infinity))
    expect([scorer!(0)(0), scorer!(0)(1), scorer!(0)(2)]).toEqual([0.5, 3.5, 0])
    expect([...guesser!(0, 2)]).toEqual([0, 1])
    expect(greatest([1, 3, 3, 2], 3)).toEqual([1, 2, 3])
  })

  test('TF-IDF finds the line that shares what is seldom', () => {
    const kernel = letterKernel(5)
    const lines = ['ab', 'ac', 'bd', 'e'].map((text) => Uint32Array.from(text, (letter) => letter.charCodeAt(0) - 97))
    const score = tfIdfScorer(kernel, [['ab', 'ac', 'ad', 'bc']], lines)(0)
    expect(inverseFrequency(5, [Uint32Array.of(0), Uint32Array.of(0, 1)])).toEqual(Float64Array.of(0, Math.log(2), 0, 0, 0))
    expect(score(0)).toBeGreaterThan(score(2))
    expect(score(2)).toBeGreaterThan(score(1))
    expect(score(3)).toBe(0)
  })

  test('singular values and vectors are those of the matrix', () => {
    // 6 × 5 with singular values 5, 4, 3, 2, 1 by construction: Q · diag · Pᵀ with Householder reflections Q and P
    const reflection = (v: readonly number[]): number[][] => {
      const square = v.reduce((sum, x) => sum + x * x, 0)
      return v.map((x, i) => v.map((y, j) => (i === j ? 1 : 0) - (2 * x * y) / square))
    }
    const q = reflection([1, 2, -1, 0.5, 3, -2])
    const p = reflection([2, -1, 1, 0.25, 1])
    const at = (row: number, column: number): number => [5, 4, 3, 2, 1].reduce((sum, value, k) => sum + q[row]![k]! * value * p[column]![k]!, 0)
    const dense: SparseColumns = {
      rows: 6,
      ptr: Uint32Array.from({ length: 6 }, (_, column) => 6 * column),
      at: Uint32Array.from({ length: 30 }, (_, e) => e % 6),
      vals: Float64Array.from({ length: 30 }, (_, e) => at(e % 6, Math.floor(e / 6))),
    }
    const { values, vectors } = leftSingular(dense, 3, 1)
    expect(values.map((value) => Math.round(value * 1e9) / 1e9)).toEqual([5, 4, 3])
    for (const [k, vector] of vectors.entries()) {
      const along = Math.abs(vector.reduce((sum, x, row) => sum + x * q[row]![k]!, 0))
      expect(along).toBeCloseTo(1, 9)
    }
  })
})
