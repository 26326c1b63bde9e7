import { createHash } from 'node:crypto'
import type { LayerId, PeerName } from '@sgsd/consensus'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openLatticeCompute } from '../open-lattice-compute.ts'
import type { LatticeCompute, LayerContent } from '../port.ts'
import { MAX_EMBEDDERS } from './port.ts'

const SELF = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5' as PeerName
const LAYER = 'e'.repeat(64) as LayerId
const LINES = ['天地玄黃', '宇宙洪荒', '日月盈昃', '辰宿列張', '寒來暑往', '秋收冬藏', '閏餘成歲', '律呂調陽', '雲騰致雨', '露結爲霜']

let lattice: LatticeCompute
let content: LayerContent

beforeAll(async () => {
  lattice = await openLatticeCompute({ fold: 'evidence/1', self: SELF, provider: 'reference' })
}, 60_000)
afterAll(() => lattice.close())

async function vectorsOf(texts: readonly string[], dimensions: number, over?: LayerContent): Promise<Float32Array> {
  const id = await lattice.openEmbedder(over)
  while (!(await lattice.prepareEmbedder(id, dimensions)));
  const all = new Float32Array(texts.length * dimensions)
  for (let done = 0; done < texts.length;) {
    const slice = await lattice.embed(id, texts.slice(done), dimensions)
    expect(slice.vectors).toHaveLength(slice.texts * dimensions)
    all.set(slice.vectors, done * dimensions)
    done += slice.texts
  }
  await lattice.closeEmbedder(id)
  return all
}

function digest(vectors: Float32Array): string {
  return createHash('sha256').update(new Uint8Array(vectors.buffer)).digest('hex').slice(0, 16)
}

describe('in order', () => {
  test('an untouched lattice gives these bits, everywhere', async () => {
    const vectors = await vectorsOf(['明月', '秋風起'], 300)
    expect(digest(vectors)).toBe('e85789936d186e8e')
  })

  test('one that has counted gives these, and the same as its only layer', async () => {
    await lattice.setOwned(Array.from({ length: 214 }, (_, i) => i + 1))
    await lattice.farm(LINES)
    const { radicals, state } = await lattice.commit()
    content = { layer: LAYER, author: SELF, radicals, state }
    // what was learned and not folded is no part of the consensus
    expect(digest(await vectorsOf(['明月', '秋風起'], 300))).toBe('e85789936d186e8e')
    expect(await lattice.load(content)).toBeUndefined()
    await lattice.fold([{ peer: SELF, seq: 1n, layer: LAYER, weight: 1 }])
    const texts = [...LINES, '明月', '天地']
    const vectors = await vectorsOf(texts, 300)
    expect(digest(vectors)).toBe('badee7cfacd45d62')
    expect(await vectorsOf(texts, 300, content)).toEqual(vectors)
  })

  test('texts without known characters are named and stay 0', async () => {
    const id = await lattice.openEmbedder()
    while (!(await lattice.prepareEmbedder(id, 8)));
    const { texts, unknown, vectors } = await lattice.embed(id, ['天', 'hello', '☃'], 8)
    expect([texts, unknown]).toEqual([3, [1, 2]])
    expect([...vectors.subarray(8)]).toEqual(Array.from({ length: 16 }, () => 0))
    await lattice.closeEmbedder(id)
    await lattice.closeEmbedder(id)
  })

  test('no more than may be open, none that is closed, and none over a layer that is no good', async () => {
    const open = await Promise.all(Array.from({ length: MAX_EMBEDDERS }, () => lattice.openEmbedder()))
    await expect(lattice.openEmbedder()).rejects.toMatchObject({ code: 'BUSY' })
    for (const id of open) await lattice.closeEmbedder(id)
    await expect(lattice.embed(open[0]!, ['天'], 8)).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(lattice.prepareEmbedder(open[0]!, 8)).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(lattice.openEmbedder({ ...content, state: new Uint8Array(3) })).rejects.toMatchObject({ code: 'LAYER_REFUSED' })
  })

  test('others are answered while a large batch is under way', async () => {
    const order: string[] = []
    const batch = vectorsOf(
      Array.from({ length: 3_000 }, (_, i) => LINES[i % 10]!),
      1_024,
    ).then(() => order.push('batch'))
    await lattice.ask('天地', 1)
    order.push('ask')
    await batch
    expect(order).toEqual(['ask', 'batch'])
  })
})
