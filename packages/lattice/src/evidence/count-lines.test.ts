import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { adjacentLines, MAX_LINE_CHARACTERS } from './adjacent-lines.ts'
import { CONTEXT_LINES, countLines, type CountLinesOptions } from './count-lines.ts'
import { EvidenceCounts, type EvidenceSnapshot } from './counts.ts'
import { documents, letterKernel, rowsOf, textOf } from './evidence.fixture.ts'
import { sumEvidence } from './sum.ts'

const N = 7
const kernel = letterKernel(N)

function counted(lines: readonly string[], options: CountLinesOptions = {}): EvidenceSnapshot {
  const counts = new EvidenceCounts(N)
  countLines(counts, kernel, lines, options)
  return counts.snapshot()
}

/** `ab` → count: what a in a line foretold of b. */
function pairs({ ptr, cols, counts }: EvidenceSnapshot): Record<string, number> {
  const found: Record<string, number> = {}
  for (let row = 0; row < N; row++) {
    for (let e = ptr[row]!; e < ptr[row + 1]!; e++) found[`${kernel.characterAt(cols[e]!)}${kernel.characterAt(row)}`] = counts[e]!
  }
  return found
}

describe('lines', () => {
  test('count each pair of distinct characters of a line and the next, and nothing across a border', () => {
    expect(pairs(counted(['ab', 'bbc', '', 'd', '?', '', 'e']))).toEqual({ ab: 256, ac: 256, bb: 256, bc: 256 })
  })

  test('count less from afar, up to four lines', () => {
    expect(pairs(counted(['a', 'bb', 'ccc', 'd', 'ee', 'f']))).toEqual({
      ...{ ab: 256, ac: 64, ad: 32, ae: 32 },
      ...{ bc: 256, bd: 64, be: 32, bf: 32 },
      ...{ cd: 256, ce: 64, cf: 32 },
      ...{ de: 256, df: 64, ef: 256 },
    })
  })

  test('a line without a known character keeps its place between the others', () => {
    expect(pairs(counted(['a', '?', 'b']))).toEqual({ ab: 64 })
  })

  test('a pair at one position of two adjacent lines of one length counts twice, once however often', () => {
    expect(pairs(counted(['ab', 'cd']))).toEqual({ ac: 512, ad: 256, bc: 256, bd: 512 })
    expect(pairs(counted(['aab', 'ccd']))).toEqual({ ac: 512, ad: 256, bc: 256, bd: 512 })
    expect(pairs(counted(['ab', 'cde']))).toEqual({ ac: 256, ad: 256, ae: 256, bc: 256, bd: 256, be: 256 })
    expect(pairs(counted(['a?', '?b']))).toEqual({ ab: 256 })
    expect(pairs(counted(['?a', '?b']))).toEqual({ ab: 512 })
  })

  test('in parts count what they count at once, wherever they are cut, given four lines of context', () => {
    fc.assert(
      fc.property(documents(N), fc.array(fc.nat(30)), (poems, cuts) => {
        const lines = textOf(poems)
        const ends = [...new Set(cuts.map((cut) => Math.min(cut, lines.length))), lines.length].sort((a, b) => a - b)
        const counts = new EvidenceCounts(N)
        let at = 0
        for (const end of ends) {
          const context = Math.min(at, CONTEXT_LINES)
          countLines(counts, kernel, lines.slice(at - context, end), { from: context })
          at = end
        }
        expect(counts.snapshot()).toEqual(counted(lines))
      }),
    )
  })

  test('less context is too little', () => {
    const lines = ['a', 'b', 'c', 'd', 'e']
    expect(counted(lines.slice(1), { from: 3 })).not.toEqual(counted(lines, { from: 4 }))
  })

  test('of owned rows alone, over owners that divide the rows, sum to all', () => {
    fc.assert(
      fc.property(documents(N), fc.array(fc.nat(2), { minLength: N, maxLength: N }), (poems, owners) => {
        const parts = [0, 1, 2].map((owner) => rowsOf(counted(textOf(poems), { owns: (row) => owners[row] === owner })))
        expect(sumEvidence(N, parts)).toEqual(sumEvidence(N, [rowsOf(counted(textOf(poems)))]))
      }),
    )
  })

  test('know where they stand, unknown ones too', () => {
    const found = [...adjacentLines(kernel, ['', 'a', '?', 'b', '', '', 'c', 'd'])]
    expect(found.map(({ at, line, next }) => [at, [...line], [...next]])).toEqual([
      [1, [0], []],
      [2, [], [1]],
      [6, [2], [3]],
    ])
  })

  test('longer than 128 distinct characters count by their first 128, and stand beside nothing', () => {
    const wide = letterKernel(200)
    const long = String.fromCodePoint(...Array.from({ length: 200 }, (_, i) => 97 + i))
    const [pair] = adjacentLines(wide, [long, long])
    expect([pair!.line.length, pair!.next.length]).toEqual([MAX_LINE_CHARACTERS, MAX_LINE_CHARACTERS])
    for (const line of [long.slice(0, MAX_LINE_CHARACTERS), long.slice(0, MAX_LINE_CHARACTERS + 1), long, long.repeat(3)]) {
      const counts = new EvidenceCounts(200)
      countLines(counts, wide, [line, line])
      const { total } = counts.snapshot()
      expect(total).toBe(256 * (MAX_LINE_CHARACTERS ** 2 + (line.length === MAX_LINE_CHARACTERS ? MAX_LINE_CHARACTERS : 0)))
    }
  })
})
