import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { zstdDecompressSync } from 'node:zlib'
import { type LayerId, type PeerName, REFERENCE_FOLD_KERNEL, type RowBlock } from '@sgsd/consensus'
import { buildLattice, HANZI_TABLE_FILE, type HanziKernel, type LatticeMatrices, parseHanziTable } from '@sgsd/lattice'
import { encodeRowBlock, encodeStateBlock, parseRowBlock } from '@sgsd/wire'
import { beforeAll, expect, test } from 'vitest'
import type { CommitDraft, LayerContent } from './port.ts'
import { STABLE_PROFILE, type StepEngine } from './step-engine.ts'
import { HebbLearning } from './learning/hebb-learning.ts'
import type { LearningGround } from './learning/learning.ts'
import { Swarm } from './swarm.ts'
import { WasmStepEngine } from './wasm-step-engine.ts'

const TEXTS = [
  ['天地玄黄', '宇宙洪荒', '日月盈昃', '辰宿列张', '寒来暑往', '秋收冬藏', '闰余成岁', '律吕调阳'],
  ['床前明月光', '疑是地上霜', '举头望明月', '低头思故乡', '白日依山尽', '黄河入海流', '欲穷千里目', '更上一层楼'],
  ['学而时习之', '不亦说乎', '有朋自远方来', '不亦乐乎', '人不知而不愠', '不亦君子乎', '君子务本', '本立而道生'],
]
const WEIGHTS = [0.2, 0.5, 0]

let kernel: HanziKernel
let base: LatticeMatrices

beforeAll(() => {
  const parsed = parseHanziTable(zstdDecompressSync(readFileSync(fileURLToPath(import.meta.resolve(HANZI_TABLE_FILE)))))
  if ('error' in parsed) throw new Error(parsed.error)
  kernel = parsed
  base = buildLattice(kernel)
})

function swarmOf(stopped: () => boolean, engine: StepEngine): Swarm<RowBlock> {
  const ground: LearningGround = { kernel, base, self: undefined, stopped }
  return new Swarm(ground, new HebbLearning(ground, engine, 'mean/1', REFERENCE_FOLD_KERNEL))
}

async function newSwarm(owned: (radical: number) => boolean = () => true): Promise<Swarm<RowBlock>> {
  const engine = WasmStepEngine.open(STABLE_PROFILE)
  const swarm = swarmOf(() => false, engine)
  await swarm.use(engine)
  swarm.setOwned(Array.from({ length: 214 }, (_, index) => index + 1).filter(owned))
  return swarm
}

function layer(author: number): LayerId {
  return `${author}`.repeat(64) as LayerId
}

function content(draft: CommitDraft, id: LayerId = layer(0)): LayerContent {
  return { layer: id, radicals: draft.radicals.map(({ radical, bytes }) => ({ radical, bytes })), state: draft.state }
}

/** Members whose radicals are disjoint, each with a text of its own. */
async function farmed(): Promise<{ swarms: Swarm<RowBlock>[]; layers: LayerContent[] }> {
  const swarms = await Promise.all([0, 1, 2].map((member) => newSwarm((radical) => radical % 3 === member)))
  const layers: LayerContent[] = []
  for (const [member, swarm] of swarms.entries()) {
    await swarm.farm(TEXTS[member]!)
    layers.push(content(swarm.commit(), layer(member)))
  }
  return { swarms, layers }
}

const head = (member: number): Parameters<Swarm<RowBlock>['fold']>[0][number] => ({
  peer: `peer${member}` as PeerName,
  seq: BigInt(member),
  layer: layer(member),
  weight: WEIGHTS[member]!,
})

test('three members fold to the same digest, whatever the order of loading, naming and repetition', async () => {
  const { swarms, layers } = await farmed()
  const orders = [
    [0, 1, 2],
    [2, 0, 1],
    [1, 2, 0],
  ]
  const digests = new Set<string>()
  for (const [member, swarm] of swarms.entries()) {
    for (const author of orders[member]!) expect(swarm.load(layers[author]!)).toBeUndefined()
    const report = await swarm.fold(orders[(member + 1) % 3]!.map(head))
    digests.add(report.digest)
    expect(report.rows).toBeGreaterThan(10)
    // folding again, with what the fold keeps loaded, changes nothing
    expect((await swarm.fold([2, 1, 0, 1].map(head))).digest).toBe(report.digest)
  }
  expect(digests.size).toBe(1)
  const [swarm] = swarms
  expect(digests).not.toContain((await swarm!.fold([head(0), head(1)])).digest)
})

test('only owned rows are learned, and a layer names their radicals in ascending order', async () => {
  const { layers } = await farmed()
  for (const [member, { radicals }] of layers.entries()) {
    expect(radicals.length).toBeGreaterThan(2)
    expect(radicals.every(({ radical }) => radical % 3 === member)).toBe(true)
    expect(radicals.map(({ radical }) => radical)).toEqual(radicals.map(({ radical }) => radical).sort((a, b) => a - b))
  }
})

test('what was learned changes the answer of its own member, and through the fold that of the others', async () => {
  const teacher = await newSwarm()
  const pupil = await newSwarm(() => false)
  const before = (await pupil.ask('床前明月光', 200)).nearest
  for (let turn = 0; turn < 4; turn++) await teacher.farm(TEXTS[1]!)
  const learned = (await teacher.ask('床前明月光', 200)).nearest
  expect(learned).not.toEqual(before)
  expect(pupil.load(content(teacher.commit()))).toBeUndefined()
  await pupil.fold([head(0)])
  expect((await pupil.ask('床前明月光', 200)).nearest).toEqual(learned)
})

test('learned rows survive a fold of other members, and unchanged radicals keep their bytes', async () => {
  const { swarms, layers } = await farmed()
  const [swarm] = swarms
  for (const author of [1, 2]) swarm!.load(layers[author]!)
  await swarm!.fold([head(1), head(2)])
  expect(content(swarm!.commit(), layer(0))).toEqual(layers[0])
  await swarm!.farm(['木木木', '林林林'])
  const changed = swarm!.commit().radicals.filter(({ radical, bytes }) => {
    const old = layers[0]!.radicals.find((each) => each.radical === radical)
    return old === undefined || Buffer.compare(old.bytes, bytes) !== 0
  })
  expect(changed.length).toBeLessThan(layers[0]!.radicals.length)
})

test('a restored member goes on as if it had not stopped', async () => {
  const { swarms, layers } = await farmed()
  const { lines, meanScore } = swarms[1]!.commit()
  const restored = await newSwarm((radical) => radical % 3 === 1)
  await restored.restore(layers[1]!, lines, meanScore)
  expect(content(restored.commit(), layer(1))).toEqual(layers[1])
  expect(restored.commit()).toMatchObject({ lines, meanScore })
  expect(await restored.ask('黄河', 20)).toEqual(await swarms[1]!.ask('黄河', 20))
  await restored.farm(TEXTS[0]!)
  expect(restored.commit().lines).toBeGreaterThan(lines)
})

test('a layer that is not loaded cannot be folded or restored, and nothing changes', async () => {
  const swarm = await newSwarm()
  const before = await swarm.ask('水', 5)
  await expect(swarm.fold([head(0)])).rejects.toMatchObject({ code: 'LAYER_REFUSED', data: { layer: layer(0) } })
  const damaged: LayerContent = { layer: layer(0), radicals: [{ radical: 1, bytes: Uint8Array.of(1, 2, 3) }], state: new Uint8Array(3) }
  await expect(swarm.restore(damaged, 1, 0)).rejects.toMatchObject({ code: 'LAYER_REFUSED', data: { layer: layer(0) } })
  expect(await swarm.ask('水', 5)).toEqual(before)
})

test('a layer that was loaded after a fold chose its members waits for the next fold', async () => {
  const { layers } = await farmed()
  const swarm = await newSwarm()
  swarm.load(layers[0]!)
  swarm.load(layers[1]!)
  await swarm.fold([head(0)])
  await expect(swarm.fold([head(0), head(1)])).resolves.toMatchObject({ rows: expect.any(Number) as number })
  await swarm.fold([head(1)])
  await expect(swarm.fold([head(0)])).rejects.toMatchObject({ code: 'LAYER_REFUSED' })
})

test('a fold of nobody is the kernel itself', async () => {
  const [one, two] = [await newSwarm(), await newSwarm()]
  await two.farm(TEXTS[2]!)
  const report = await one.fold([])
  expect(report.rows).toBe(0)
  expect((await two.fold([])).digest).toBe(report.digest)
})

test('a stopped swarm leaves between two lines', async () => {
  const engine = WasmStepEngine.open(STABLE_PROFILE)
  let asked = 0
  const swarm = swarmOf(() => ++asked > 2, engine)
  await swarm.use(engine)
  await expect(swarm.farm(TEXTS[0]!)).rejects.toMatchObject({ code: 'CLOSED', data: { call: 'farm' } })
  expect(asked).toBe(3)
})

/** Layers that must be refused whole, from a good one. */
const HOSTILE: readonly { readonly name: string; readonly reason: RegExp; spoil(good: LayerContent): LayerContent }[] = [
  {
    name: 'bytes that are no block',
    reason: /block of radical/,
    spoil: (good) => ({ ...good, radicals: [{ radical: 1, bytes: new Uint8Array(64) }] }),
  },
  { name: 'a truncated block', reason: /block of radical/, spoil: (good) => withBytes(good, (bytes) => bytes.slice(0, -4)) },
  {
    name: 'a block under another radical',
    reason: /holds radical/,
    spoil: (good) => ({ ...good, radicals: [{ ...good.radicals[0]!, radical: 213 }] }),
  },
  { name: 'a radical twice', reason: /twice/, spoil: (good) => ({ ...good, radicals: [good.radicals[0]!, good.radicals[0]!] }) },
  { name: 'a weight above 1', reason: /radical/, spoil: (good) => withVals(good, 1.5) },
  { name: 'a weight that is NaN', reason: /radical/, spoil: (good) => withVals(good, Number.NaN) },
  { name: 'an infinite weight', reason: /radical/, spoil: (good) => withVals(good, Infinity) },
  {
    name: 'a row of another radical',
    reason: /belongs to radical/,
    spoil: (good) => {
      const { radical, bytes } = good.radicals[0]!
      const block = accepted(bytes)
      const foreign = kernel.radicals.findIndex((each, row) => each !== radical && row > lastOf(block.rowIds))
      return { ...good, radicals: [{ radical, bytes: encodeRowBlock({ ...block, rowIds: withLast(block.rowIds, foreign) }) }] }
    },
  },
  {
    name: 'a row beyond the lattice',
    reason: /outside the lattice/,
    spoil: (good) => {
      const { radical, bytes } = good.radicals[0]!
      const block = accepted(bytes)
      return { ...good, radicals: [{ radical, bytes: encodeRowBlock({ ...block, rowIds: withLast(block.rowIds, kernel.definedCount) }) }] }
    },
  },
  { name: 'a state of another lattice', reason: /entries/, spoil: (good) => ({ ...good, state: encodeStateBlock(new Float32Array(7)) }) },
  {
    name: 'a state with NaN',
    reason: /state/,
    spoil: (good) => ({ ...good, state: encodeStateBlock(new Float32Array(kernel.definedCount).fill(Number.NaN)) }),
  },
  {
    name: 'a state above 1',
    reason: /state/,
    spoil: (good) => ({ ...good, state: encodeStateBlock(new Float32Array(kernel.definedCount).fill(2)) }),
  },
]

function accepted(bytes: Uint8Array): Extract<ReturnType<typeof parseRowBlock>, { type: 'accept' }>['value'] {
  const verdict = parseRowBlock(bytes)
  if (verdict.type !== 'accept') throw new Error(verdict.reason)
  return verdict.value
}

function lastOf(rowIds: Uint32Array): number {
  return rowIds[rowIds.length - 1]!
}

function withLast(rowIds: Uint32Array, row: number): Uint32Array {
  return rowIds.with(rowIds.length - 1, row)
}

function withBytes(good: LayerContent, change: (bytes: Uint8Array) => Uint8Array): LayerContent {
  const [first, ...rest] = good.radicals
  return { ...good, radicals: [{ radical: first!.radical, bytes: change(first!.bytes) }, ...rest] }
}

function withVals(good: LayerContent, value: number): LayerContent {
  return withBytes(good, (bytes) => {
    const block = accepted(bytes)
    return encodeRowBlock({ ...block, tauVals: block.tauVals.with(0, value) })
  })
}

test.for(HOSTILE)('refused with a reason: $name', async ({ reason, spoil }) => {
  const author = await newSwarm()
  await author.farm(TEXTS[0]!)
  const good = content(author.commit())
  const swarm = await newSwarm()
  expect(swarm.load(good)).toBeUndefined()
  expect(swarm.load({ ...spoil(good), layer: layer(1) })).toMatch(reason)
  await expect(swarm.fold([head(1)])).rejects.toMatchObject({ code: 'LAYER_REFUSED' })
})
