import { MAX_EVIDENCE_PAIRS } from '@sgsd/lattice'
import { describe, expect, test } from 'vitest'
import { checkEvidence, checkEvidenceTotal } from './check-evidence.ts'
import type { EvidenceBlock } from './evidence-block.ts'
import { checkRule, layerParams, ruleOf } from './layer.ts'

const RADICALS = Uint8Array.of(5, 7, 5, 5)
const GOOD: EvidenceBlock = {
  radical: 5,
  rowIds: Uint32Array.of(0, 2),
  ptr: Uint32Array.of(0, 2, 3),
  cols: Uint32Array.of(1, 3, 0),
  counts: Uint32Array.of(256, 1, 0xffff_ffff),
}

describe('a block of counts (docs/protocol.md §9.2)', () => {
  test('that is good has nothing wrong', () => {
    expect(checkEvidence(RADICALS, GOOD)).toBeUndefined()
    expect(checkEvidenceTotal([GOOD])).toBeUndefined()
  })

  test.each<[string, Partial<EvidenceBlock>, string]>([
    ['a row outside', { rowIds: Uint32Array.of(0, 4) }, 'row 4 lies outside the lattice of 4 rows'],
    ['a row of another radical', { rowIds: Uint32Array.of(0, 1) }, 'row 1 belongs to radical 7, not to 5'],
    ['a row twice', { rowIds: Uint32Array.of(2, 2) }, 'row 2 is out of order'],
    ['an empty row', { ptr: Uint32Array.of(0, 0, 3) }, 'row 0 is empty, or its offsets do not ascend'],
    ['offsets beyond', { ptr: Uint32Array.of(0, 4, 3) }, 'row 0 is empty, or its offsets do not ascend'],
    ['too few offsets', { ptr: Uint32Array.of(0, 3) }, 'the offsets do not fit the pairs'],
    ['offsets that begin elsewhere', { ptr: Uint32Array.of(1, 2, 3) }, 'the offsets do not fit the pairs'],
    ['a count less', { counts: Uint32Array.of(256, 1) }, 'the offsets do not fit the pairs'],
    ['a column outside', { cols: Uint32Array.of(1, 4, 0) }, 'row 0 counts column 4, outside the lattice'],
    ['columns that fall', { cols: Uint32Array.of(3, 1, 0) }, 'the columns of row 0 do not ascend'],
    ['a count of 0', { counts: Uint32Array.of(256, 0, 1) }, 'row 0 has a count of 0'],
  ])('%s: refused', (_, changes, reason) => {
    expect(checkEvidence(RADICALS, { ...GOOD, ...changes })).toBe(reason)
  })

  test('a layer whose counts would make sums inexact is refused', () => {
    const columns = 512
    const block = (count: number): EvidenceBlock => ({
      radical: 5,
      rowIds: Uint32Array.of(0),
      ptr: Uint32Array.of(0, columns),
      cols: Uint32Array.from({ length: columns }, (_, i) => i),
      counts: new Uint32Array(columns).fill(count),
    })
    expect(checkEvidenceTotal([block(0xffff_ffff)])).toBeUndefined()
    expect(checkEvidenceTotal([block(0xffff_ffff), block(1)])).toBeUndefined()
    expect(checkEvidenceTotal([block(0xffff_ffff), block(2)])).toBe(`the counts sum to ${2 ** 41 + 512}; 2^41 is allowed`)
  })

  test('a layer of too many pairs is refused', () => {
    const block = { ...GOOD, counts: new Uint32Array(MAX_EVIDENCE_PAIRS / 2 + 1).fill(1) }
    expect(checkEvidenceTotal([block, block])).toBe('the layer counts 8000002 pairs; 8000000 are allowed')
  })
})

describe('the rule of a layer (docs/protocol.md §9.2)', () => {
  test('is that of the mesh’s fold, and of no other', () => {
    for (const foldId of ['mean/1', 'evidence/1'] as const) {
      expect(layerParams(foldId).rule).toBe(ruleOf(foldId))
      expect(checkRule(foldId, { params: layerParams(foldId), blocks: [] })).toBeUndefined()
    }
    expect(checkRule('mean/1', { params: layerParams('evidence/1'), blocks: [] })).toBe(
      'the layer was learned by the rule evidence; the fold mean/1 takes layers of hebb',
    )
    expect(checkRule('evidence/1', { params: layerParams('mean/1'), blocks: [] })).toBe(
      'the layer was learned by the rule hebb; the fold evidence/1 takes layers of evidence',
    )
  })

  test('a manifest that announces too much is refused before anything is fetched', () => {
    const blocks = [1, 2].map((radical) => ({ radical, rows: 1, nnz: 5_000_000, block: 'b' as never }))
    expect(checkRule('evidence/1', { params: layerParams('evidence/1'), blocks })).toBe('the layer counts 10000000 pairs; 8000000 are allowed')
    expect(checkRule('mean/1', { params: layerParams('mean/1'), blocks })).toBeUndefined()
  })
})
