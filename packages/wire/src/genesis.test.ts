import { describe, expect, test } from 'vitest'
import { type Genesis, layerParams } from '@sgsd/consensus'
import { encodeGenesis, meshIdOf, parseGenesis } from './genesis.ts'
import { encodeManifest, layerIdOf, parseManifest } from './manifest.ts'
import { ALICE, GENESIS, idOf, MANIFEST } from '../testing/member.ts'

describe('genesis documents (docs/protocol.md §3.1)', () => {
  test('come back, and their bytes name the mesh', () => {
    const bytes = encodeGenesis(GENESIS)
    expect(parseGenesis(bytes)).toEqual({ type: 'accept', value: GENESIS })
    expect(meshIdOf(encodeGenesis({ ...GENESIS, nonce: 'ff'.repeat(16) }))).not.toBe(meshIdOf(bytes))
  })

  test('name any of the folds', () => {
    for (const foldId of ['mean/1', 'trimmed/1', 'median/1', 'evidence/1'] as const) {
      expect(parseGenesis(encodeGenesis({ ...GENESIS, foldId }))).toMatchObject({ type: 'accept', value: { foldId } })
    }
  })

  test('name a founder where members are voted in, and nowhere else', () => {
    const voted: Genesis = { ...GENESIS, version: 2, admission: 'vote', founder: ALICE.peer }
    expect(parseGenesis(encodeGenesis(voted))).toEqual({ type: 'accept', value: voted })
    for (const changes of [{ version: 1 }, { admission: 'key' }, { founder: 'nobody' }] as Partial<Genesis>[]) {
      expect(parseGenesis(encodeGenesis({ ...voted, ...changes })).type).toBe('reject')
    }
  })

  test.each<[string, Partial<Record<keyof Genesis, unknown>>, string]>([
    ['a later version', { version: 2 }, 'version is none of 1'],
    ['a name with capitals', { name: 'Grove' }, 'name does not match ^[a-z0-9-]{1,32}$'],
    ['a kernel that repeats', { colourKernel: 'turbo32' }, 'colourKernel is none of spi64'],
    ['an epoch of no whole chunks', { epochColours: (1n << 20n) + 1n }, 'epochColours is no multiple of 2^20 in [2^20, 2^44]'],
    ['an epoch of nothing', { epochColours: 0n }, 'epochColours is no multiple of 2^20 in [2^20, 2^44]'],
    ['an epoch too long', { epochColours: 1n << 45n }, 'epochColours is no multiple of 2^20 in [2^20, 2^44]'],
    ['a short kernel id', { latticeKernel: 'abcd' }, 'latticeKernel does not have 32 bytes'],
    ['another fold', { foldId: 'mode/1' }, 'foldId is none of mean/1, trimmed/1, median/1, evidence/1'],
    ['another admission', { admission: 'fee' }, 'admission is none of open, key'],
    ['a vote without a founder', { admission: 'vote' }, 'admission is none of open, key'],
    ['a short nonce', { nonce: '00' }, 'nonce does not have 16 bytes'],
  ])('%s is refused, and said so', (_, changes, reason) => {
    expect(parseGenesis(encodeGenesis({ ...GENESIS, ...changes } as Genesis))).toEqual({ type: 'reject', reason })
  })
})

describe('manifests (docs/protocol.md §8.2)', () => {
  test('come back, the largest too', () => {
    const blocks = Array.from({ length: 214 }, (_, i) => ({ radical: i + 1, rows: 0xffff_ffff, nnz: 0xffff_ffff, block: idOf<never>(`block ${i}`) }))
    const parents = Array.from({ length: 64 }, (_, i) => idOf<never>(`parent ${i}`))
    for (const manifest of [MANIFEST, { ...MANIFEST, blocks, parents }, { ...MANIFEST, blocks: [], parents: [] }]) {
      const bytes = encodeManifest(manifest)
      expect(parseManifest(bytes)).toEqual({ type: 'accept', value: manifest })
      expect(layerIdOf(bytes)).toMatch(/^[0-9a-f]{64}$/)
    }
  })

  test('state either rule', () => {
    for (const foldId of ['mean/1', 'evidence/1'] as const) {
      const manifest = { ...MANIFEST, params: layerParams(foldId) }
      expect(parseManifest(encodeManifest(manifest))).toEqual({ type: 'accept', value: manifest })
    }
  })

  test('numbers that are whole come back as they are', () => {
    for (const mean of [0, 1, 0.1, 5e-324])
      expect(parseManifest(encodeManifest({ ...MANIFEST, scores: { lines: 0n, mean } }))).toMatchObject({ value: { scores: { mean } } })
  })

  test.each([
    ['a mean above 1', { scores: { lines: 1n, mean: 1.5 } }, 'scores mean is no number in [0, 1]'],
    ['a mean that is no number', { scores: { lines: 1n, mean: Number.NaN } }, 'a float that is negative or not finite'],
    ['blocks out of order', { blocks: [...MANIFEST.blocks].reverse() }, 'blocks [1] is out of order'],
    ['65 parents', { parents: Array.from({ length: 65 }, () => idOf<never>('p')) }, 'parents is no list of at most 64'],
    ['a rule that we do not have', { params: { ...MANIFEST.params, rule: 'adam' as never } }, 'params rule is none of hebb, evidence'],
  ])('%s is refused, and said so', (_, changes, reason) => {
    expect(parseManifest(encodeManifest({ ...MANIFEST, ...changes }))).toEqual({ type: 'reject', reason })
  })
})
