import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { zstdDecompressSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Csr, LatticeMatrices } from '../csr.ts'
import { CORPORA, HANZI_TABLE_FILE, SIMILARITY_FILE } from '../data-files.ts'
import { lineRows } from '../evidence/adjacent-lines.ts'
import { countLines } from '../evidence/count-lines.ts'
import { EvidenceCounts } from '../evidence/counts.ts'
import { derive } from '../evidence/derive.ts'
import { SplitMix32 } from '../eval/random.ts'
import type { HanziKernel } from '../hanzi-kernel.ts'
import { buildLattice } from '../join.ts'
import { parseHanziTable } from '../parse-table.ts'
import { dominantBasis } from './dominant.ts'
import { EmbeddingSpace } from './embedding-space.ts'
import type { SignWords } from './signs.ts'
import { areaUnderCurve, parseSimilaritySet } from './similarity-set.ts'

const ORDER = 24

const signs: SignWords = (row, block, out, at) => {
  const random = new SplitMix32(64 * row + block)
  out[at] = random.next()
  out[at + 1] = random.next()
}

/** Weights of a dense square matrix, row by row; 0 is no edge. */
function csrOf(dense: readonly number[]): Csr {
  const ptr = [0]
  const cols: number[] = []
  for (let row = 0; row < ORDER; row++) {
    for (let column = 0; column < ORDER; column++) if (dense[row * ORDER + column]! > 0) cols.push(row * ORDER + column)
    ptr.push(cols.length)
  }
  return {
    rows: ORDER,
    ptr: Uint32Array.from(ptr),
    cols: Uint32Array.from(cols, (at) => at % ORDER),
    vals: Float32Array.from(cols, (at) => dense[at]!),
  }
}

const dense = fc.array(fc.oneof(fc.constant(0), fc.double({ min: 0.01, max: 1, noNaN: true })), {
  minLength: ORDER * ORDER,
  maxLength: ORDER * ORDER,
})
const matrices = fc.record({ tau: dense.map(csrOf), rho: dense.map(csrOf) })
const state = fc
  .array(fc.oneof(fc.constant(0), fc.double({ min: 0.04, max: 0.5, noNaN: true })), { minLength: ORDER, maxLength: ORDER })
  .map((s) => Float32Array.from(s))
const lattice = fc.record({ matrices, state, evidence: fc.boolean() })
const rows = fc.uniqueArray(fc.nat(ORDER - 1), { minLength: 1, maxLength: 8 }).map((list) => Uint32Array.from(list))

function ready(
  from: { readonly matrices: LatticeMatrices; readonly state: Float32Array; readonly evidence: boolean },
  dimensions: number,
): EmbeddingSpace {
  const space = new EmbeddingSpace(from, signs)
  for (const _ of space.prepare(dimensions));
  return space
}

function vectorOf(space: EmbeddingSpace, text: Uint32Array, dimensions: number): Float32Array {
  const out = new Float32Array(dimensions)
  space.embed(text, out)
  return out
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0)
}

describe('a vector', () => {
  test('is of length 1, whatever the lattice and the text', () => {
    fc.assert(
      fc.property(lattice, rows, fc.integer({ min: 1, max: 200 }), (from, text, dimensions) => {
        const vector = vectorOf(ready(from, dimensions), text, dimensions)
        expect(Math.abs(dot(vector, vector) - 1)).toBeLessThan(1e-5)
      }),
      { numRuns: 60 },
    )
  })

  test('does not depend on the order of the characters, on what was embedded before, or on which dimensions were made ready first', () => {
    fc.assert(
      fc.property(lattice, rows, rows, (from, text, other) => {
        const once = vectorOf(ready(from, 130), text, 130)
        const space = ready(from, 60)
        vectorOf(space, other, 60)
        for (const _ of space.prepare(130));
        expect(vectorOf(space, text.toReversed(), 130)).toEqual(once)
      }),
      { numRuns: 40 },
    )
  })

  test('of fewer dimensions is the beginning of one of more, made length 1 again', () => {
    fc.assert(
      fc.property(lattice, rows, fc.integer({ min: 2, max: 99 }), (from, text, few) => {
        const space = ready(from, 100)
        const beginning = vectorOf(space, text, 100).slice(0, few)
        const length = Math.sqrt(dot(beginning, beginning))
        for (const [i, value] of vectorOf(space, text, few).entries()) expect(value).toBeCloseTo(length === 0 ? value : beginning[i]! / length, 4)
      }),
      { numRuns: 40 },
    )
  })

  test('lies near those of texts that the lattice treats alike, without a character in common', () => {
    // two groups of characters that stand for one another within and never across: two directions and no more
    const linked = csrOf(
      Array.from({ length: ORDER * ORDER }, (_, at) => {
        const [row, column] = [Math.floor(at / ORDER), at % ORDER]
        return row < 12 === column < 12 ? 0.5 : 0
      }),
    )
    const none = csrOf(Array.from({ length: ORDER * ORDER }, () => 0))
    for (const evidence of [false, true]) {
      const space = ready({ matrices: { tau: linked, rho: none }, state: new Float32Array(ORDER).fill(0.2), evidence }, 1_024)
      const [a, b, c] = [
        [0, 1, 2],
        [5, 6, 7],
        [20, 21, 22],
      ].map((text) => vectorOf(space, Uint32Array.from(text), 1_024)) as [Float32Array, Float32Array, Float32Array]
      expect(dot(a, b)).toBeGreaterThan(0.4)
      expect(Math.abs(dot(a, c))).toBeLessThan(0.15)
    }
  })
})

describe('the basis', () => {
  test('is orthonormal, and 0 where the lattice has not so many directions', () => {
    fc.assert(
      fc.property(matrices, (w) => {
        const width = 32
        const work = dominantBasis(
          w,
          Uint32Array.from({ length: ORDER }, (_, row) => row),
          width,
          signs,
        )
        let step = work.next()
        while (step.done !== true) step = work.next()
        const { values } = step.value
        let independent = 0
        for (let a = 0; a < width; a++) {
          for (let b = 0; b <= a; b++) {
            let product = 0
            for (let i = 0; i < ORDER; i++) product += values[i * width + a]! * values[i * width + b]!
            if (a === b && product > 0.5) independent++
            expect(Math.min(Math.abs(product), Math.abs(product - (a === b ? 1 : 0)))).toBeLessThan(1e-6)
          }
        }
        expect(independent).toBeLessThanOrEqual(ORDER)
      }),
      { numRuns: 30 },
    )
  })
})

describe('the similarity set', () => {
  const contentOf = (file: string): Buffer => {
    const bytes = readFileSync(fileURLToPath(import.meta.resolve(file)))
    return file.endsWith('.zst') ? zstdDecompressSync(bytes) : bytes
  }
  const texts = parseSimilaritySet(contentOf(SIMILARITY_FILE).toString('utf8'))
  const poems = contentOf(CORPORA.tang.file)
    .toString('utf8')
    .trim()
    .split('\n\n')
    .map((poem) => poem.split('\n'))

  test('has 14 topics of ten, each couplet of another poem, as it stands there', () => {
    expect(texts).toHaveLength(140)
    expect(new Set(texts.map(({ poem }) => poem)).size).toBe(140)
    for (const { poem, lines } of texts) expect(poems[poem - 1]!.join('\n')).toContain(lines.join('\n'))
    for (const half of ['development', 'test']) {
      const topics = texts.filter((text) => text.half === half).map(({ topic }) => topic)
      expect(new Set(topics).size).toBe(7)
      for (const topic of topics) expect(topics.filter((other) => other === topic)).toHaveLength(10)
    }
  })

  test('refuses what is neither a heading nor a couplet', () => {
    expect(() => parseSimilaritySet('## test: war: war\n12 天地 玄黃\n')).toThrow('line 2')
    expect(() => parseSimilaritySet('12\t天地 玄黃\n')).toThrow('line 1')
  })

  test('the area is 1 where topics stand apart, 0 where they are turned round, ½ where nothing is told', () => {
    const six = texts.slice(0, 3).concat(texts.slice(10, 13))
    const same = (a: number, b: number): number => (six[a]!.topic === six[b]!.topic ? 1 : 0)
    expect(areaUnderCurve(six, same)).toBe(1)
    expect(areaUnderCurve(six, (a, b) => -same(a, b))).toBe(0)
    expect(areaUnderCurve(six, () => 7)).toBe(0.5)
  })

  test('a lattice that has counted poems tells topics that the characters alone do not, of poems that it has not seen', () => {
    const kernel = parseHanziTable(contentOf(HANZI_TABLE_FILE)) as HanziKernel
    const labelled = new Set(texts.flatMap(({ lines }) => lines))
    const counts = new EvidenceCounts(kernel.definedCount)
    countLines(
      counts,
      kernel,
      poems.filter((poem, i) => i % 3 === 0 && !poem.some((line) => labelled.has(line))).flatMap((poem) => [...poem, '']),
    )
    const space = ready({ ...derive(counts.snapshot(), buildLattice(kernel)), evidence: true }, 512)
    const bags = texts.map(({ lines }) => lineRows(kernel, lines.join('')))
    const vectors = bags.map((bag) => vectorOf(space, bag, 512))
    const shared = (a: number, b: number): number =>
      bags[a]!.filter((row) => bags[b]!.includes(row)).length / Math.sqrt(bags[a]!.length * bags[b]!.length)
    const learned = areaUnderCurve(texts, (a, b) => dot(vectors[a]!, vectors[b]!))
    expect(learned).toBeGreaterThan(areaUnderCurve(texts, shared) + 0.1)
    expect(learned).toBeGreaterThan(0.75)
  }, 60_000)
})
