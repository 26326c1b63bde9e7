import { sumEvidence } from '@sgsd/lattice'
import { blockIdOf, parseEvidenceBlock, parseRowBlock } from '@sgsd/wire'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AUTHOR, layer, MESH, packed, RADICALS, ROWS } from './layer.fixture.ts'
import { splitLayerBundle } from './layer-bundle.ts'
import { consensusTensors, layerTensors, onlyTensors, TENSOR } from './layer-tensors.ts'
import { originOf, readLayer } from './read-layer.ts'
import { encodeRowsBody, splitRowsBody } from './rows-body.ts'
import { encodeSafetensors, parseSafetensors } from './safetensors.ts'
import { mutated } from './tensors.fixture.ts'
import type { DenseTensor, SparseTensor, Tensor, TensorFile } from './tensor-file.ts'
import { encodeTorch, parseTorch } from './torch-file.ts'

function tensorsOf(bytes: Uint8Array): TensorFile {
  const bundle = splitLayerBundle(bytes)
  const file = bundle.type === 'accept' ? layerTensors(bundle.value) : bundle
  if (file.type !== 'accept') throw new Error(file.reason)
  return file.value
}

const floats = (...values: number[]): DenseTensor => ({
  layout: 'dense',
  dtype: 'f32',
  shape: [values.length],
  bytes: new Uint8Array(Float32Array.from(values).buffer),
})
const longs = (...values: number[]): DenseTensor => ({
  layout: 'dense',
  dtype: 'i64',
  shape: [values.length],
  bytes: new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
})
const matrix = (rows: number[], columns: number[], values: DenseTensor, n = ROWS): SparseTensor => ({
  layout: 'coo',
  shape: [n, n],
  indices: { ...longs(...rows, ...columns), shape: [2, rows.length] },
  values,
})
const file = (tensors: Record<string, Tensor>, meta: Record<string, string> = {}): TensorFile => ({
  tensors: new Map(Object.entries(tensors)),
  meta: new Map(Object.entries(meta)),
})

describe('a layer', () => {
  test('that went through either format gives its own blocks, to the bit, and one digest', () => {
    fc.assert(
      fc.property(layer, ({ bytes, blocks, rule }) => {
        const tensors = tensorsOf(bytes)
        for (const passed of [parseTorch(encodeTorch(tensors)), parseSafetensors(encodeSafetensors(tensors))]) {
          expect(passed.type).toBe('accept')
          const rows = readLayer(passed.type === 'accept' ? passed.value : tensors, rule, RADICALS)
          expect(rows.type === 'accept' && rows.value.blocks.map((block) => block.bytes)).toEqual(blocks)
          if (rows.type !== 'accept') return
          const sent = splitRowsBody(encodeRowsBody(rows.value))
          expect(sent).toEqual({ type: 'accept', value: { blocks: rows.value.blocks, rows: rows.value.rows, digest: rows.value.digest } })
        }
        expect(originOf(tensors)).toEqual({ mesh: MESH, author: AUTHOR })
      }),
    )
  })

  test('says of itself what its manifest says, all as text', () => {
    const { meta, tensors } = tensorsOf(packed('hebb', []).bytes)
    expect(Object.fromEntries(meta)).toMatchObject({
      format: 'sgsd.layer/1',
      author: AUTHOR,
      seq: '3',
      eta: '0.125',
      mean: '0.25',
      rule: 'hebb',
      parents: '',
    })
    expect([...tensors.keys()]).toEqual(['Wτ', 'Wρ', 'rows', 's'])
  })

  test('whose rows came changed over the socket is refused or others: nothing throws', () => {
    fc.assert(
      fc.property(
        layer.chain(({ blocks }) => mutated(encodeRowsBody({ blocks: blocks.map((bytes, i) => ({ radical: i, bytes })) }))),
        (bytes) => {
          const rows = splitRowsBody(bytes)
          if (rows.type === 'accept') for (const block of rows.value.blocks) expect(blockIdOf(block.bytes)).toMatch(/^[0-9a-f]{64}$/)
        },
      ),
      { numRuns: 1_000 },
    )
  })
})

describe('a consensus', () => {
  test('of counts can be read as counts: their sum', () => {
    fc.assert(
      fc.property(fc.array(layer, { minLength: 1, maxLength: 3 }), (layers) => {
        const parts = layers
          .filter(({ rule }) => rule === 'evidence')
          .flatMap(({ blocks }) => blocks.map(parseEvidenceBlock))
          .flatMap((verdict) => (verdict.type === 'accept' ? [verdict.value] : []))
        const sum = sumEvidence(ROWS, parts)
        const empty = { rows: ROWS, ptr: new Uint32Array(ROWS + 1), cols: new Uint32Array(0), vals: new Float32Array(0) }
        const facts = { mesh: MESH, kernel: MESH, foldId: 'evidence/1', consensus: MESH, digest: MESH, heads: [] }
        const tensors = consensusTensors({ matrices: { tau: empty, rho: empty }, state: new Float32Array(ROWS) }, facts, sum)
        const rows = readLayer(onlyTensors(tensors, [TENSOR.counts]), 'evidence', RADICALS)
        if (sum.counts.some((count) => count > 0xffff_ffff)) expect(rows.type).toBe('reject')
        else expect(rows).toMatchObject({ type: 'accept', value: { nnz: sum.cols.length } })
        expect(originOf(tensors)).toEqual({ mesh: MESH, author: '' })
      }),
    )
  })
})

describe('refused', () => {
  const rho = matrix([], [], floats())
  test.each([
    ['weights where counts belong', 'evidence', file({ Wτ: matrix([0], [1], floats(0.5)), Wρ: rho }), /weights cannot be added up/],
    ['counts where weights belong', 'hebb', file({ N: matrix([0], [1], longs(256)) }), /sparse matrix Wτ/],
    ['counts as floats', 'evidence', file({ N: matrix([0], [1], floats(1)) }), /int64/],
    ['weights as whole numbers', 'hebb', file({ Wτ: matrix([0], [1], longs(1)), Wρ: rho }), /float32/],
    ['a dense matrix', 'hebb', file({ Wτ: floats(1), Wρ: rho }), /sparse/],
    ['only one of the two', 'hebb', file({ Wτ: matrix([0], [1], floats(0.5)) }), /Wρ/],
    ['another lattice', 'hebb', file({ Wτ: matrix([0], [1], floats(0.5), 4), Wρ: rho }), /this lattice is 12 × 12/],
    ['an edge outside', 'hebb', file({ Wτ: matrix([0], [12], floats(0.5)), Wρ: rho }), /outside the lattice/],
    ['a negative row', 'hebb', file({ Wτ: matrix([-1], [0], floats(0.5)), Wρ: rho }), /outside the lattice/],
    ['an edge twice', 'hebb', file({ Wτ: matrix([0, 0], [1, 1], floats(0.5, 0.5)), Wρ: rho }), /coalesce/],
    ['edges out of order', 'hebb', file({ Wτ: matrix([1, 0], [1, 1], floats(0.5, 0.5)), Wρ: rho }), /coalesce/],
    ['NaN', 'hebb', file({ Wτ: matrix([0], [1], floats(Number.NaN)), Wρ: rho }), /weight NaN/],
    ['infinity', 'hebb', file({ Wτ: rho, Wρ: matrix([0], [1], floats(Infinity)) }), /weight Infinity/],
    ['a weight above 1', 'hebb', file({ Wτ: matrix([0], [1], floats(1.5)), Wρ: rho }), /weight 1.5/],
    ['a negative weight', 'hebb', file({ Wτ: matrix([0], [1], floats(-0.5)), Wρ: rho }), /weight -0.5/],
    ['an edge in a row that is not named', 'hebb', file({ Wτ: matrix([0], [1], floats(0.5)), Wρ: rho, rows: longs(1) }), /does not name/],
    ['rows that fall', 'hebb', file({ Wτ: rho, Wρ: rho, rows: longs(1, 0) }), /ascend/],
    ['a count of 0', 'evidence', file({ N: matrix([0], [1], longs(0)) }), /count of 0/],
    ['a negative count', 'evidence', file({ N: matrix([0], [1], longs(-1)) }), /negative/],
    ['a count above 2^32', 'evidence', file({ N: matrix([0], [1], longs(2 ** 32)) }), /above/],
  ] as const)('%s', (_, rule, tensors, reason) => {
    expect(readLayer(tensors, rule, RADICALS)).toMatchObject({ type: 'reject', reason: expect.stringMatching(reason) as string })
  })

  test('a row of more than 64 edges', () => {
    const columns = Array.from({ length: 65 }, (_, i) => i)
    const wide = matrix(
      columns.map(() => 0),
      columns,
      floats(...columns.map(() => 0.5)),
      80,
    )
    const radicals = new Uint8Array(80).fill(1)
    expect(readLayer(file({ Wτ: wide, Wρ: matrix([], [], floats(), 80) }), 'hebb', radicals)).toMatchObject({
      reason: expect.stringMatching(/65 edges/) as string,
    })
  })
})

test('−0 is taken as 0, and rows without edges can be held', () => {
  const rows = readLayer(file({ Wτ: matrix([1], [1], floats(-0)), Wρ: matrix([], [], floats()), rows: longs(1, 4) }), 'hebb', RADICALS)
  expect(rows).toMatchObject({ type: 'accept', value: { rows: 2, nnz: 1 } })
  // which refuses −0
  for (const { bytes } of rows.type === 'accept' ? rows.value.blocks : []) expect(parseRowBlock(bytes).type).toBe('accept')
})
