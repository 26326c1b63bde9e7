import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { zstdDecompressSync } from 'node:zlib'
import { bss, setId, union } from '@sgsd/hllset'
import { describe, expect, test } from 'vitest'
import { checkHanziTable, UNICODE_DIR, UNIHAN_VERSION, unihanVersion } from '../../../scripts/build-hanzi.ts'
import { cover } from './cover.ts'
import { CORPORA, HANZI_KERNEL_ID, HANZI_TABLE_FILE } from './data-files.ts'
import { type HanziKernel, radicalRows } from './hanzi-kernel.ts'
import { coverSet, hanziSet } from './hanzi-set.ts'
import { parseHanziTable } from './parse-table.ts'

const table = contentOf(HANZI_TABLE_FILE)
const kernel = parseHanziTable(table) as HanziKernel

describe('the shipped hanzi table', () => {
  test('is the one whose id is recorded, and what the Unicode files give where they are installed', () => {
    expect(createHash('sha256').update(table).digest('hex')).toBe(HANZI_KERNEL_ID)
    // other versions of Unihan give another table; on a machine without these files the recorded id is the check
    if (unihanVersion(UNICODE_DIR) === UNIHAN_VERSION) expect(checkHanziTable(UNICODE_DIR)).toBeUndefined()
  })

  test('has 98,060 characters, 22,903 of them defined', () => {
    expect(kernel.id).toBe(HANZI_KERNEL_ID)
    expect(kernel.codePoints).toHaveLength(98_060)
    expect(kernel.definedCount).toBe(22_903)
    expect(kernel.definitionOf(kernel.definedCount - 1)).not.toBe('')
    expect(kernel.definitionOf(kernel.definedCount)).toBe('')
  })

  test('knows a character by radical, strokes, reading, definition and tokens', () => {
    const row = kernel.rowOf('水')!
    expect(kernel.characterAt(row)).toBe('水')
    expect(kernel.radicals[row]).toBe(85)
    expect(kernel.strokes[row]).toBe(4)
    expect(kernel.readingOf(row)).toBe('shuǐ')
    expect(kernel.definitionOf(row)).toBe('water, liquid, lotion, juice')
    expect(kernel.tokensOf(row)).toEqual(['d:juice', 'd:liquid', 'd:lotion', 'd:water', 'rad:85', 'str:4'])
  })

  test('finds every character at its own row, and nothing else', () => {
    kernel.codePoints.forEach((codePoint, row) => {
      if (kernel.rowOf(String.fromCodePoint(codePoint)) !== row) expect.fail(`U+${codePoint.toString(16)} is not at row ${row}`)
    })
    for (const other of ['', 'a', '。', '水水', '\ud840', '😀']) expect(kernel.rowOf(other)).toBeUndefined()
  })

  test('gives sketches whose τ and ρ are those of the exact sets, nearly', () => {
    const [u, v] = ['学', '學'].map((character) => kernel.rowOf(character)!) as [number, number]
    const [a, b] = [kernel.tokensOf(u), kernel.tokensOf(v)]
    const both = a.filter((token) => b.includes(token)).length
    const estimate = bss(hanziSet(kernel, u), hanziSet(kernel, v))!
    expect(estimate.tau).toBeCloseTo(both / b.length, 1)
    expect(estimate.rho).toBeCloseTo((a.length - both) / b.length, 1)
    expect(setId(coverSet(kernel, [u, v]))).toBe(setId(union(hanziSet(kernel, v), hanziSet(kernel, u))))
  })

  test('has defined characters of all 214 radicals', () => {
    const rows = radicalRows(kernel)
    expect(rows).toHaveLength(215)
    expect(rows[0]).toBe(0)
    expect(rows.slice(1).every((count) => count > 0)).toBe(true)
    expect(rows.reduce((sum, count) => sum + count, 0)).toBe(kernel.definedCount)
  })
})

describe.each(Object.values(CORPORA))('the shipped text $title', ({ file, sha256, clauses }) => {
  const bytes = contentOf(file)
  const lines = new TextDecoder('utf-8', { fatal: true }).decode(bytes).split('\n')

  test('is the one that is recorded', () => {
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256)
    expect(lines.filter((line) => line !== '')).toHaveLength(clauses)
  })

  test('consists of hanzi, of which the lattice knows at least 98 in 100', () => {
    expect(lines.find((line) => !/^\p{Script=Han}*$/u.test(line))).toBeUndefined()
    const characters = Array.from(lines.join(''))
    const known = new Set(cover(kernel, lines.join('')).known)
    expect(characters.filter((character) => known.has(character)).length / characters.length).toBeGreaterThan(0.98)
  })
})

function contentOf(specifier: string): Uint8Array {
  const name = specifier.slice('@sgsd/lattice/'.length)
  const bytes = readFileSync(fileURLToPath(new URL(`../${name}`, import.meta.url)))
  return name.endsWith('.zst') ? zstdDecompressSync(bytes) : bytes
}
