import { readFileSync } from 'node:fs'
import type { LayerId } from '@sgsd/consensus'
import { describe, expect, test } from 'vitest'
import { blockIdOf, parseEvidenceBlock, parseLeaves, parseRowBlock, parseStateBlock } from './blocks.ts'
import { openGossip, openItem } from './envelope.ts'
import { meshIdOf, parseGenesis } from './genesis.ts'
import { parseLineage } from './lineage.ts'
import { layerIdOf, parseManifest } from './manifest.ts'
import {
  BEAT,
  CLAIM,
  CONTEXT,
  COUNTS,
  equivocationOf,
  GENESIS,
  HEAD,
  idOf,
  LINEAGE,
  MANIFEST,
  memberOf,
  OP,
  proofOf,
  RECEIPT,
  RECORD,
  ROWS,
  SEAL,
  VOTE,
} from '../testing/member.ts'
import { buildVectors, type Json } from '../testing/vectors.ts'

interface Vectors {
  readonly keys: readonly { readonly seed: string; readonly peer: string }[]
  readonly genesis: { readonly bytes: string; readonly meshId: string }
  readonly items: readonly { readonly kind: string; readonly id: string; readonly envelope: string }[]
  readonly beat: { readonly envelope: string }
  readonly manifest: { readonly bytes: string; readonly layerId: string }
  readonly blocks: Readonly<Record<'rows' | 'evidence' | 'state' | 'leaves' | 'lineage', { readonly bytes: string; readonly id: string }>>
}

const stored = JSON.parse(readFileSync(new URL('vectors.json', import.meta.url), 'utf8')) as Json & Vectors
const bytesOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))

describe('golden vectors (docs/protocol.md §12)', () => {
  const built = buildVectors() as { readonly [key: string]: Json }

  test.each(Object.keys(built))('%s: the bytes are those that were written down', (name) => {
    expect(built[name]).toEqual((stored as unknown as { readonly [key: string]: Json })[name])
  })

  test('nothing is written down that is not computed', () => {
    expect(Object.keys(stored)).toEqual(Object.keys(built))
  })

  test('the bytes that were written down are read as what they stand for', () => {
    expect(stored.keys.map(({ seed }) => memberOf(bytesOf(seed)).peer)).toEqual(stored.keys.map(({ peer }) => peer))
    expect(parseGenesis(bytesOf(stored.genesis.bytes))).toEqual({ type: 'accept', value: GENESIS })
    expect(meshIdOf(bytesOf(stored.genesis.bytes))).toBe(stored.genesis.meshId)
    const heads = [HEAD, { ...HEAD, layer: idOf<LayerId>('other layer') }].map((value) => ({ kind: 'head', value }) as const)
    const equivocation = equivocationOf(heads[0]!, heads[1]!)
    const values = { record: RECORD, head: HEAD, claim: CLAIM, seal: SEAL, proof: proofOf(), equivocation, op: OP, receipt: RECEIPT, vote: VOTE }
    expect(stored.items.map(({ kind }) => kind)).toEqual(Object.keys(values))
    for (const { kind, id, envelope } of stored.items) {
      expect(openItem(bytesOf(envelope), CONTEXT)).toMatchObject({ type: 'accept', value: { kind, id, value: values[kind as keyof typeof values] } })
    }
    expect(openGossip('roster', bytesOf(stored.beat.envelope), CONTEXT)).toEqual({ type: 'accept', value: { type: 'beat', beat: BEAT } })
    expect(parseManifest(bytesOf(stored.manifest.bytes))).toEqual({ type: 'accept', value: MANIFEST })
    expect(layerIdOf(bytesOf(stored.manifest.bytes))).toBe(stored.manifest.layerId)
  })

  test('the blocks that were written down are read as what they stand for', () => {
    const { rows, evidence, state, leaves, lineage } = stored.blocks
    expect(parseRowBlock(bytesOf(rows.bytes))).toEqual({ type: 'accept', value: ROWS })
    expect(parseEvidenceBlock(bytesOf(evidence.bytes))).toEqual({ type: 'accept', value: COUNTS })
    expect(parseStateBlock(bytesOf(state.bytes))).toEqual({ type: 'accept', value: Float32Array.of(0, 0.5, 1) })
    expect(parseLeaves(bytesOf(leaves.bytes))).toEqual({ type: 'accept', value: BigUint64Array.of(1n, 0xffff_ffff_ffff_ffffn, 3n) })
    expect(parseLineage(bytesOf(lineage.bytes))).toEqual({ type: 'accept', value: LINEAGE })
    for (const { bytes, id } of [rows, evidence, state, leaves, lineage]) expect(blockIdOf(bytesOf(bytes))).toBe(id)
  })
})
