import type { FoldId, LayerId, PeerName } from '@sgsd/consensus'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openLatticeCompute } from '../lattice/open-lattice-compute.ts'
import type { LatticeCompute, LayerContent } from '../lattice/port.ts'
import { openHistoryCompute } from './open-history-compute.ts'
import type { HistoryCompute, HistoryMember, MergedRows } from './port.ts'

const TEXTS = [
  ['天地玄黄', '宇宙洪荒', '日月盈昃', '辰宿列张', '寒来暑往', '秋收冬藏', '闰余成岁', '律吕调阳', ''],
  ['床前明月光', '疑是地上霜', '举头望明月', '低头思故乡', '', '白日依山尽', '黄河入海流', '欲穷千里目', '更上一层楼', ''],
  ['学而时习之', '不亦说乎', '有朋自远方来', '不亦乐乎', '人不知而不愠', '不亦君子乎', '君子务本', '本立而道生', ''],
]
const RADICALS = Array.from({ length: 214 }, (_, index) => index + 1)
const peerOf = (member: number): PeerName => `peer${member}` as PeerName
const layerOf = (member: number): LayerId => String(member).repeat(64) as LayerId

/** Layers of members of whom each has learned one text more than the one before. */
async function learned(fold: FoldId): Promise<HistoryMember[]> {
  const members: HistoryMember[] = []
  await using compute = await openLatticeCompute({ fold, provider: 'reference' })
  await compute.setOwned(RADICALS)
  for (const [m, text] of TEXTS.entries()) {
    await compute.farm(text)
    const { radicals, state } = await compute.commit()
    members.push({ peer: peerOf(m), seq: 1n, weight: 1, content: { layer: layerOf(m), author: peerOf(m), radicals, state } })
  }
  return members
}

function member(peer: number, { radicals, state }: MergedRows): HistoryMember {
  return { peer: peerOf(peer), seq: 1n, weight: 1, content: { layer: layerOf(peer), radicals, state } }
}

function blocks({ radicals, state }: Pick<MergedRows, 'radicals' | 'state'>): unknown {
  return { radicals: radicals.map(({ radical, bytes }) => [radical, Buffer.from(bytes).toString('hex')]), state: Buffer.from(state).toString('hex') }
}

describe.each<FoldId>(['evidence/1', 'mean/1'])('layers of the past, %s', (fold) => {
  let history: HistoryCompute
  let running: LatticeCompute
  let members: HistoryMember[]

  beforeAll(async () => {
    members = await learned(fold)
    history = openHistoryCompute(fold)
    running = await openLatticeCompute({ fold })
    for (const { content } of members) expect(await running.load(content)).toBeUndefined()
  }, 60_000)

  afterAll(async () => {
    await history.close()
    await running.close()
  })

  const heads = (which: readonly HistoryMember[]): Parameters<LatticeCompute['fold']>[0] =>
    which.map(({ peer, seq, weight, content: { layer } }) => ({ peer, seq, weight, layer }))

  test('a fold apart has the digest of the running one', async () => {
    const { digest, rows, nnz } = await running.fold(heads(members))
    expect(await history.fold(members)).toMatchObject({ digest, rows, nnz })
    expect(await history.fold(members.toReversed())).toMatchObject({ digest })
    expect((await history.fold(members.slice(1))).digest).not.toBe(digest)
  })

  test('a layer scores better on the lines that it learned than one that did not, and lines of which nothing is known score nothing', async () => {
    const [own, , third] = members
    const lines = TEXTS[2]!.slice(0, 8)
    const before = await history.score([own!], lines)
    const after = await history.score([third!], lines)
    expect(after.items).toBe(before.items)
    expect(after.items).toBeGreaterThan(3)
    expect(after.score).toBeGreaterThanOrEqual(before.score)
    expect(after.score).toBeLessThanOrEqual(1)
    if (fold === 'evidence/1') expect(after.score).toBeGreaterThan(before.score)
    expect(await history.score([third!], lines)).toEqual(after)
    expect(await history.score([own!], ['abc', 'def'])).toEqual({ score: 0, items: 0 })
  })

  test('a merge is the fold of its contributors: folded alone it has their digest, whatever their order', async () => {
    const merged = await history.merge(members)
    expect(blocks(await history.merge(members.toReversed()))).toEqual(blocks(merged))
    expect((await history.fold([member(7, merged)])).digest).toBe((await history.fold(members)).digest)
    expect(await history.check(member(7, merged).content)).toBeUndefined()
  })

  test('the pairwise algebra is commutative, but neither associative nor does a second helping leave it as it was', async () => {
    const [a, b, c] = members.map(({ content }) => content) as [LayerContent, LayerContent, LayerContent]
    const of = async (x: LayerContent, y: LayerContent): Promise<LayerContent> => ({ layer: layerOf(8), ...(await history.pairwise(x, y)) })
    const ab = await of(a, b)
    expect(blocks(await history.pairwise(b, a))).toEqual(blocks(await history.pairwise(a, b)))
    expect(blocks(await history.pairwise(await of(a, b), c))).not.toEqual(blocks(await history.pairwise(a, await of(b, c))))
    expect(blocks(await history.pairwise(ab, b))).not.toEqual(blocks(await history.pairwise(a, b)))
  })

  test('questions are answered from a lattice of the past, and from the running one again', async () => {
    await running.fold(heads(members))
    const now = await running.ask('明月', 8)
    const [first] = members
    const past = await history.lattice([first!])
    expect(past.digest).toBe((await history.fold([first!])).digest)
    await running.answerFrom(past)
    const then = await running.ask('明月', 8)
    expect(then.nearest).not.toEqual(now.nearest)
    // a fold changes the consensus and not what is answered from
    await running.fold(heads(members.slice(0, 2)))
    expect(await running.ask('明月', 8)).toEqual(then)
    await running.load(members[2]!.content)
    await running.fold(heads(members))
    await running.answerFrom(undefined)
    expect(await running.ask('明月', 8)).toEqual(now)
    await running.answerFrom(await history.lattice(members))
    expect((await running.ask('明月', 8)).nearest).toEqual(now.nearest)
    await running.answerFrom(undefined)
  })

  test('says what differs, and what a block says of an edge', async () => {
    const [a, b] = members.map(({ content }) => new Map(content.radicals.map(({ radical, bytes }) => [radical, bytes])))
    const pairs = [...new Set([...a!.keys(), ...b!.keys()])].map((radical) => ({ radical, before: a!.get(radical), after: b!.get(radical) }))
    const { radicals, top } = await history.diff(pairs, 5)
    expect(top).toHaveLength(5)
    const [{ matrix, row, column, after, before, rowCharacter }] = top as [(typeof top)[number]]
    expect(await history.characters([row])).toMatchObject([{ character: rowCharacter, row }])
    const { radical } = (await history.rowsOf(rowCharacter))[0]!
    const said = await history.edge((after === 0 ? a : b)!.get(radical)!, row, column)
    expect(said[matrix]).toBe(after === 0 ? before : after)
    expect(radicals.reduce((sum, { edges }) => sum + edges.added + edges.removed + edges.changed, 0)).toBeGreaterThan(5)
    const same = pairs.map(({ radical, before: each }) => ({ radical, before: each, after: each }))
    expect((await history.diff(same, 5)).top).toEqual([])
  })

  test('a damaged layer is refused with its reason', async () => {
    const { content } = members[0]!
    const state = content.state.slice()
    state[20] = 0xff
    state[23] = 0xff
    expect(await history.check({ ...content, state })).toMatch(/state/)
    await expect(history.fold([{ ...members[0]!, content: { ...content, state } }])).rejects.toMatchObject({ code: 'LAYER_REFUSED' })
  })
})

test('the thread ends when it has nothing to do, and comes back', async () => {
  await using history = openHistoryCompute('mean/1', 10)
  expect(await history.rowsOf('明a月')).toHaveLength(2)
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(await history.characters([0, 1e6])).toHaveLength(1)
})
