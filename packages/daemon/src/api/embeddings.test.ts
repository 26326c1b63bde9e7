import { ComputeError, type EmbeddingCompute, type LayerContent, MAX_EMBEDDERS } from '@sgsd/compute'
import type { LayerId } from '@sgsd/consensus'
import { expect, test } from 'vitest'
import { Embeddings, type LayerSource } from './embeddings.ts'

const never = new AbortController().signal
const id = (digit: string): string => digit.repeat(64)

/** A lattice that embeds a text as its length, two texts a slice, and is prepared in three. */
class FakeLattice implements EmbeddingCompute {
  readonly open = new Map<number, string>()
  readonly left = new Map<number, number>()
  opened = 0
  consensus = id('a')

  openEmbedder(over?: LayerContent): Promise<number> {
    if (this.open.size >= MAX_EMBEDDERS) return Promise.reject(new ComputeError('BUSY', { what: 'embedders', limit: MAX_EMBEDDERS }))
    this.open.set(this.opened, over?.layer ?? this.consensus)
    this.left.set(this.opened, 3)
    return Promise.resolve(this.opened++)
  }

  prepareEmbedder(handle: number): Promise<boolean> {
    const left = this.left.get(handle)! - 1
    this.left.set(handle, Math.max(0, left))
    return Promise.resolve(left <= 0)
  }

  embed(handle: number, texts: readonly string[], dimensions: number): ReturnType<EmbeddingCompute['embed']> {
    if (!this.open.has(handle) || this.left.get(handle)! > 0) return Promise.reject(new Error('not open or not prepared'))
    const done = texts.slice(0, 2)
    const vectors = Float32Array.from(done.flatMap((text) => Array.from({ length: dimensions }, () => text.length)))
    return Promise.resolve({ texts: done.length, vectors, unknown: [...done.keys()].filter((i) => done[i] === '?') })
  }

  closeEmbedder(handle: number): Promise<void> {
    this.open.delete(handle)
    return Promise.resolve()
  }
}

function embeddingsOf(lattice: FakeLattice, known: readonly string[] = []): Embeddings {
  const layers: LayerSource = {
    find: (prefix) => {
      const found = known.find((layer) => layer.startsWith(prefix))
      return found === undefined ? Promise.reject(new Error(`no layer here begins with ${prefix}`)) : Promise.resolve(found as LayerId)
    },
    content: (layer) => Promise.resolve({ layer, radicals: [], state: new Uint8Array(0) }),
  }
  return new Embeddings({ lattice, consensus: () => lattice.consensus, layers: () => layers })
}

test('a batch is whole and in order, and requests for one consensus share one lattice', async () => {
  const lattice = new FakeLattice()
  const embeddings = embeddingsOf(lattice)
  const [one, two] = await Promise.all([embeddings.embed('sgs', ['a', 'bb', 'ccc'], 2, never), embeddings.embed('sgs', ['dddd'], 1, never)])
  expect([...one.vectors]).toEqual([1, 1, 2, 2, 3, 3])
  expect([...two.vectors]).toEqual([4])
  expect(one.model).toBe(`sgs:${id('a')}`)
  expect(lattice.opened).toBe(1)
})

test('a consensus that ran before stays known by its id, while it is kept; layers are found by theirs', async () => {
  const lattice = new FakeLattice()
  const embeddings = embeddingsOf(lattice, [id('d')])
  await embeddings.embed('sgs', ['a'], 1, never)
  lattice.consensus = id('b')
  expect((await embeddings.embed('sgs', ['a'], 1, never)).model).toBe(`sgs:${id('b')}`)
  expect((await embeddings.embed('sgs:aaaaaa', ['a'], 1, never)).model).toBe(`sgs:${id('a')}`)
  expect((await embeddings.embed('sgs:dddddd', ['a'], 1, never)).model).toBe(`sgs:${id('d')}`)
  expect(lattice.opened).toBe(3)
  for (const model of ['sgs:cccccc', 'sgs:aaa', 'gpt', 'sgs:', 'sgs:AAAAAA', 'SGS']) {
    await expect(embeddings.embed(model, ['a'], 1, never)).rejects.toMatchObject({ status: 404, code: 'model_not_found', param: 'model' })
  }
})

test('lattices that nobody uses are closed, the one used longest ago first; never one in use', async () => {
  const lattice = new FakeLattice()
  const embeddings = embeddingsOf(lattice)
  for (const digit of ['1', '2', '3', '4', '5', '6']) {
    lattice.consensus = id(digit)
    await embeddings.embed('sgs', ['a'], 1, never)
    expect(lattice.open.size).toBeLessThan(MAX_EMBEDDERS)
  }
  expect([...lattice.open.values()]).toEqual([id('4'), id('5'), id('6')])
})

test('a text without known characters is named by its place in the whole batch', async () => {
  await expect(embeddingsOf(new FakeLattice()).embed('sgs', ['a', 'b', 'c', '?', 'd'], 1, never)).rejects.toMatchObject({
    status: 400,
    code: 'no_known_characters',
    message: expect.stringContaining('input[3]') as string,
  })
})

test('a caller that goes away ends its own work and nobody else’s', async () => {
  const lattice = new FakeLattice()
  const embeddings = embeddingsOf(lattice)
  const leaving = new AbortController()
  const [left, stayed] = [embeddings.embed('sgs', ['a', 'b', 'c'], 1, leaving.signal), embeddings.embed('sgs', ['a', 'b', 'c'], 1, never)]
  leaving.abort(new Error('gone'))
  await expect(left).rejects.toThrow('gone')
  expect([...(await stayed).vectors]).toEqual([1, 1, 1])
})
