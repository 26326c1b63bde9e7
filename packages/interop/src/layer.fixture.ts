import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import { evidenceBlocks, type LayerManifest, type LearningRule, type MeshId, type PeerName, type RowBlock } from '@sgsd/consensus'
import { EvidenceCounts } from '@sgsd/lattice'
import { blockIdOf, encodeEvidenceBlock, encodeLineage, encodeManifest, encodeRowBlock, encodeStateBlock } from '@sgsd/wire'
import fc from 'fast-check'
import { encodeLayerBundle } from './layer-bundle.ts'

export const AUTHOR = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5' as PeerName
export const MESH = bytesToHex(sha256(Uint8Array.of(1))) as MeshId
/** Rows of the lattice of these tests, and the radical of each: 1, 2, 3, 1, 2, … */
export const ROWS = 12
export const RADICALS: Uint8Array = Uint8Array.from({ length: ROWS }, (_, row) => 1 + (row % 3))

/** Learned rows as canonical blocks. */
const weights: fc.Arbitrary<Uint8Array[]> = fc
  .uniqueArray(
    fc.record({
      row: fc.nat(ROWS - 1),
      tau: fc.uniqueArray(fc.nat(ROWS - 1), { maxLength: 4 }),
      rho: fc.uniqueArray(fc.nat(ROWS - 1), { maxLength: 4 }),
      seed: fc.nat(1_000),
    }),
    { minLength: 1, maxLength: ROWS, selector: ({ row }) => row },
  )
  .map((rows) =>
    [1, 2, 3].flatMap((radical) => {
      const own = rows.filter(({ row }) => RADICALS[row] === radical).sort((a, b) => a.row - b.row)
      return own.length === 0 ? [] : [encodeRowBlock(blockOf(radical, own))]
    }),
  )

interface RowEdges {
  readonly row: number
  readonly tau: readonly number[]
  readonly rho: readonly number[]
  readonly seed: number
}

function blockOf(radical: number, rows: readonly RowEdges[]): RowBlock {
  const side = (name: 'tau' | 'rho'): [Uint32Array, Uint32Array, Float32Array] => {
    const lists = rows.map((row) => [...row[name]].sort((a, b) => a - b))
    const ptr = Uint32Array.from([0, ...lists.map((_, i) => lists.slice(0, i + 1).flat().length)])
    const vals = rows.flatMap(({ seed }, i) => (lists[i] ?? []).map((column) => ((seed * 31 + column) % 1_001) / 1_000))
    return [ptr, Uint32Array.from(lists.flat()), Float32Array.from(vals)]
  }
  const [tauPtr, tauCols, tauVals] = side('tau')
  const [rhoPtr, rhoCols, rhoVals] = side('rho')
  return { radical, rowIds: Uint32Array.from(rows, ({ row }) => row), tauPtr, tauCols, tauVals, rhoPtr, rhoCols, rhoVals }
}

/** Counts as canonical blocks. */
const counts: fc.Arbitrary<Uint8Array[]> = fc
  .array(fc.tuple(fc.nat(ROWS - 1), fc.nat(ROWS - 1), fc.integer({ min: 1, max: 0xffff_ffff })), { minLength: 1, maxLength: 30 })
  .map((pairs) => {
    const all = new EvidenceCounts(ROWS)
    for (const [row, column, weight] of pairs) all.add(row, column, weight)
    return evidenceBlocks(all.snapshot(), RADICALS).map(encodeEvidenceBlock)
  })

export interface SampleLayer {
  readonly rule: LearningRule
  readonly bytes: Uint8Array
  readonly blocks: readonly Uint8Array[]
}

/** A whole portable layer of a mesh of `ROWS` rows. */
export const layer: fc.Arbitrary<SampleLayer> = fc.oneof(
  weights.map((blocks) => packed('hebb', blocks)),
  counts.map((blocks) => packed('evidence', blocks)),
)

export function packed(rule: LearningRule, blocks: readonly Uint8Array[]): SampleLayer {
  const lineage = encodeLineage([])
  const state = encodeStateBlock(Float32Array.from({ length: ROWS }, (_, row) => row / ROWS))
  const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset)
  const manifest: LayerManifest = {
    version: 1,
    mesh: MESH,
    kernel: MESH,
    parents: [],
    author: AUTHOR,
    seq: 3n,
    epoch: 1n,
    params: { profile: 'stable', rule, eta: 0.125, decay: 0 },
    lineage: blockIdOf(lineage),
    scores: { lines: 9n, mean: 0.25 },
    state: blockIdOf(state),
    blocks: blocks.map((bytes) => ({
      radical: view(bytes).getUint32(8, true),
      rows: view(bytes).getUint32(12, true),
      nnz: view(bytes).getUint32(16, true) + (rule === 'hebb' ? view(bytes).getUint32(20, true) : 0),
      block: blockIdOf(bytes),
    })),
  }
  const nothing = new Uint8Array(0)
  return {
    rule,
    blocks,
    bytes: encodeLayerBundle({ head: nothing, record: nothing, voucher: nothing, manifest: encodeManifest(manifest), lineage, state, blocks }),
  }
}
