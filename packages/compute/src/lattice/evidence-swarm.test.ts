import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { zstdDecompressSync } from 'node:zlib'
import { type EvidenceBlock, type LayerId, type PeerName, REFERENCE_FOLD_KERNEL } from '@sgsd/consensus'
import { buildLattice, HANZI_TABLE_FILE, type HanziKernel, type LatticeMatrices, parseHanziTable } from '@sgsd/lattice'
import { encodeEvidenceBlock, encodeStateBlock, parseEvidenceBlock } from '@sgsd/wire'
import { beforeAll, describe, expect, test } from 'vitest'
import { EvidenceLearning } from './learning/evidence-learning.ts'
import { HebbLearning } from './learning/hebb-learning.ts'
import type { LearningGround } from './learning/learning.ts'
import type { CommitDraft, LayerContent } from './port.ts'
import { ReferenceStepEngine } from './reference-step-engine.ts'
import { STABLE_PROFILE } from './step-engine.ts'
import { Swarm } from './swarm.ts'

/** Documents, one for each member. */
const TEXTS = [
  ['天地玄黄', '宇宙洪荒', '日月盈昃', '辰宿列张', '寒来暑往', '秋收冬藏', '闰余成岁', '律吕调阳', ''],
  ['床前明月光', '疑是地上霜', '举头望明月', '低头思故乡', '', '白日依山尽', '黄河入海流', '欲穷千里目', '更上一层楼', ''],
  ['学而时习之', '不亦说乎', '有朋自远方来', '不亦乐乎', '人不知而不愠', '不亦君子乎', '君子务本', '本立而道生', ''],
]
const ALL = TEXTS.flat()

let kernel: HanziKernel
let base: LatticeMatrices

beforeAll(() => {
  const parsed = parseHanziTable(zstdDecompressSync(readFileSync(fileURLToPath(import.meta.resolve(HANZI_TABLE_FILE)))))
  if ('error' in parsed) throw new Error(parsed.error)
  kernel = parsed
  base = buildLattice(kernel)
})

function peerOf(member: number): PeerName {
  return `peer${member}` as PeerName
}

async function newSwarm(
  member = 0,
  owned: (radical: number) => boolean = () => false,
  stopped = (): boolean => false,
): Promise<Swarm<EvidenceBlock>> {
  const ground: LearningGround = { kernel, base, self: peerOf(member), stopped }
  const engine = new ReferenceStepEngine(STABLE_PROFILE)
  const swarm = new Swarm(ground, new EvidenceLearning(ground, engine))
  await swarm.use(engine)
  swarm.setOwned(Array.from({ length: 214 }, (_, index) => index + 1).filter(owned))
  return swarm
}

function layer(author: number, seq = 0): LayerId {
  return `${author}${seq}`.repeat(32) as LayerId
}

function content(draft: CommitDraft, author: number, seq = 0): LayerContent {
  return {
    layer: layer(author, seq),
    author: peerOf(author),
    radicals: draft.radicals.map(({ radical, bytes }) => ({ radical, bytes })),
    state: draft.state,
  }
}

function head(member: number, seq = 0): Parameters<Swarm<EvidenceBlock>['fold']>[0][number] {
  return { peer: peerOf(member), seq: BigInt(seq), layer: layer(member, seq), weight: 1 }
}

/** The digest of a fold of these layers alone, in a swarm that has learned nothing. */
async function digestOf(...contents: readonly LayerContent[]): Promise<string> {
  const swarm = await newSwarm(9)
  for (const each of contents) expect(swarm.load(each)).toBeUndefined()
  return (await swarm.fold(contents.map((each, member) => ({ peer: peerOf(member), seq: 0n, layer: each.layer, weight: 1 })))).digest
}

describe('members that farm parts fold to one that farms all, to the bit', () => {
  test('private texts: every row counts, whoever owns it', async () => {
    const parts: LayerContent[] = []
    for (const [member, text] of TEXTS.entries()) {
      const swarm = await newSwarm(member)
      await swarm.farm(text)
      parts.push(content(swarm.commit(), member))
    }
    const one = await newSwarm(3)
    await one.farm(ALL)
    expect(await digestOf(...parts)).toBe(await digestOf(content(one.commit(), 3)))
    expect(await digestOf(parts[0]!, parts[1]!)).not.toBe(await digestOf(...parts))
  })

  test('a shared text: each counts the rows of its own radicals', async () => {
    const parts: LayerContent[] = []
    for (const member of [0, 1, 2]) {
      const swarm = await newSwarm(member, (radical) => radical % 3 === member)
      const report = await swarm.farm(ALL, { shared: true })
      const draft = swarm.commit()
      expect(draft.radicals.every(({ radical }) => radical % 3 === member)).toBe(true)
      expect(report.touchedRows).toBe(draft.radicals.reduce((sum, { rows }) => sum + rows, 0))
      parts.push(content(draft, member))
    }
    const one = await newSwarm(3)
    await one.farm(ALL)
    expect(await digestOf(...parts)).toBe(await digestOf(content(one.commit(), 3)))
  })

  test('a text may be cut anywhere between two lines, each call with the lines before it as context', async () => {
    const whole = await newSwarm()
    await whole.farm(ALL)
    for (const size of [1, 2, 5]) {
      const cut = await newSwarm()
      for (let i = 0; i < ALL.length; i += size) await cut.farm(ALL.slice(i, i + size + 1), { context: ALL.slice(Math.max(0, i - 3), i) })
      expect(cut.commit()).toMatchObject({ radicals: whole.commit().radicals, lines: whole.commit().lines })
    }
  })
})

describe('the running lattice', () => {
  test('shows own counts from the commit on, and the others’ from the fold on', async () => {
    const [teacher, pupil] = [await newSwarm(0), await newSwarm(1)]
    const asked = async (swarm: Swarm<EvidenceBlock>): Promise<readonly string[]> =>
      (await swarm.ask('床前明月光', 3)).nearest.map(({ character }) => character)
    const untouched = await asked(teacher)
    for (let turn = 0; turn < 3; turn++) await teacher.farm(TEXTS[1]!)
    expect(await asked(teacher)).toEqual(untouched)
    const draft = teacher.commit()
    const learned = await asked(teacher)
    expect(learned).not.toEqual(untouched)
    expect(learned.every((character) => '疑是地上霜举头望'.includes(character))).toBe(true)
    expect(pupil.load(content(draft, 0))).toBeUndefined()
    await pupil.fold([head(0)])
    expect(await asked(pupil)).toEqual(learned)
  })

  test('does not count the own head twice, nor lose what was committed after it', async () => {
    const [author, reader] = [await newSwarm(0), await newSwarm(1)]
    await author.farm(TEXTS[0]!)
    const first = content(author.commit(), 0, 1)
    await author.farm(TEXTS[1]!)
    const second = content(author.commit(), 0, 2)
    const ahead = await author.predict(['床前明月光', '天地'], 9)
    author.load(first)
    await author.fold([head(0, 1)])
    expect(await author.predict(['床前明月光', '天地'], 9)).toEqual(ahead)
    for (const swarm of [author, reader]) {
      swarm.load(second)
      await swarm.fold([head(0, 2)])
      expect(await swarm.predict(['床前明月光', '天地'], 9)).toEqual(ahead)
    }
  })

  test('is loaded into the engine when something steps it', async () => {
    const swarm = await newSwarm()
    const state = async (): Promise<Float32Array> => {
      const start = new Float32Array(kernel.definedCount)
      start[kernel.rowOf('月')!] = 1
      return (await (await swarm.stepper()).converge(start, start)).state
    }
    const before = await state()
    await swarm.farm(TEXTS[1]!)
    expect(await state()).toEqual(before)
    swarm.commit()
    expect(await state()).not.toEqual(before)
  })

  test('answers a text without known characters with nothing, and without a commit from the base lattice', async () => {
    const swarm = await newSwarm()
    const [nothing, some] = await swarm.predict(['hello', '水'], 4)
    expect(nothing!.nearest).toEqual([])
    expect(some!.nearest.length).toBeGreaterThan(0)
    expect(some!.nearest.map(({ character }) => character)).not.toContain('水')
    await expect(swarm.ask('hello', 3)).rejects.toMatchObject({ code: 'TEXT_UNKNOWN' })
  })
})

describe('reports and commits', () => {
  test('count lines that had a successor, and those that nobody can read', async () => {
    const swarm = await newSwarm()
    const report = await swarm.farm(['hello', '天地玄黄', '宇宙洪荒', '', 'world', '日月盈昃', 'end'])
    expect(report).toMatchObject({ graded: 1, skipped: 2, touchedRows: 4 })
    expect(report.meanScore >= 0 && report.meanScore <= 1).toBe(true)
    expect(swarm.commit().lines).toBe(1)
  })

  test('unchanged radicals keep their bytes', async () => {
    const swarm = await newSwarm()
    await swarm.farm(ALL)
    const before = swarm.commit()
    expect(swarm.commit()).toEqual(before)
    await swarm.farm(['天地', '玄黄'])
    const after = swarm.commit()
    const old = new Map(before.radicals.map(({ radical, bytes }) => [radical, Buffer.from(bytes).toString('hex')]))
    const changed = after.radicals.filter(({ radical, bytes }) => old.get(radical) !== Buffer.from(bytes).toString('hex'))
    const written = ['玄', '黄'].map((character) => kernel.radicals[kernel.rowOf(character)!]!)
    expect(changed.map(({ radical }) => radical)).toEqual(written.sort((x, y) => x - y))
  })

  test('a restored member goes on as if it had not stopped', async () => {
    const [swarm, restored] = [await newSwarm(), await newSwarm()]
    await swarm.farm(TEXTS[1]!)
    const { lines, meanScore, ...draft } = swarm.commit()
    await restored.restore(content({ ...draft, lines, meanScore }, 0), lines, meanScore)
    expect(restored.commit()).toEqual({ ...draft, lines, meanScore })
    expect(await restored.ask('黄河', 20)).toEqual(await swarm.ask('黄河', 20))
    for (const each of [swarm, restored]) await each.farm(TEXTS[2]!)
    expect(restored.commit().radicals).toEqual(swarm.commit().radicals)
  })

  test('a stopped swarm leaves between two lines, with nothing counted', async () => {
    let asked = 0
    const swarm = await newSwarm(
      0,
      () => true,
      () => ++asked > 2,
    )
    await expect(swarm.farm(TEXTS[0]!)).rejects.toMatchObject({ code: 'CLOSED', data: { call: 'farm' } })
    expect(asked).toBe(3)
    expect(swarm.commit().radicals).toEqual([])
  })
})

describe('hosts', () => {
  test('a revision counts as the line that follows', async () => {
    const [told, read] = [await newSwarm(), await newSwarm()]
    expect(await told.learn([{ line: '床前明月光', score: 0.25, revision: '疑是地上霜' }])).toMatchObject({ graded: 1, skipped: 0, meanScore: 0.25 })
    const pairs = told.commit().radicals.reduce((sum, { nnz }) => sum + nnz, 0)
    expect(pairs).toBe(25)
    await read.farm(['床前明月光', '疑是地上霜'])
    expect(read.commit().radicals.reduce((sum, { nnz }) => sum + nnz, 0)).toBe(pairs)
    expect((await told.predict(['床前明月光'], 5))[0]!.nearest.map(({ character }) => character).sort()).toEqual(
      ['疑', '是', '地', '上', '霜'].sort(),
    )
  })

  test('a score without a revision confirms what was foretold, in proportion', async () => {
    const swarm = await newSwarm()
    await swarm.farm(TEXTS[1]!)
    swarm.commit()
    const before = swarm.commit()
    await swarm.learn([{ line: '床前明月光', score: 0, revision: undefined }])
    expect(swarm.commit().radicals).toEqual(before.radicals)
    const foretold = (await swarm.predict(['床前明月光'], 32))[0]!.nearest.map(({ character }) => kernel.rowOf(character)!)
    expect(
      await swarm.learn([
        { line: '床前明月光', score: 0.5, revision: undefined },
        { line: '?', score: 1, revision: undefined },
      ]),
    ).toMatchObject({
      graded: 1,
      skipped: 1,
      meanScore: 0.5,
    })
    const grown = foretold.map((row) => countOf(swarm.commit(), row, kernel.rowOf('床')!) - countOf(before, row, kernel.rowOf('床')!))
    expect(grown).toEqual(foretold.map(() => 128))
  })
})

describe('a layer is refused whole', () => {
  const spoiled: readonly { readonly name: string; readonly reason: RegExp; spoil(block: EvidenceBlock): EvidenceBlock }[] = [
    { name: 'a count of 0', reason: /a count of 0/, spoil: (block) => ({ ...block, counts: block.counts.with(0, 0) }) },
    {
      name: 'a column outside',
      reason: /outside the lattice/,
      spoil: (block) => ({ ...block, cols: block.cols.with(block.cols.length - 1, 22_903) }),
    },
    {
      name: 'a row of another radical',
      reason: /belongs to radical|out of order/,
      spoil: (block) => ({ ...block, rowIds: block.rowIds.with(0, 0) }),
    },
  ]

  test.for(spoiled)('$name', async ({ reason, spoil }) => {
    const author = await newSwarm()
    await author.farm(TEXTS[0]!)
    const good = content(author.commit(), 0)
    const [first, ...rest] = good.radicals.toReversed()
    const bytes = encodeEvidenceBlock(spoil(accepted(first!.bytes)))
    const swarm = await newSwarm(1)
    expect(swarm.load(good)).toBeUndefined()
    expect(swarm.load({ ...good, layer: layer(0, 1), radicals: [{ radical: first!.radical, bytes }, ...rest] })).toMatch(reason)
    await expect(swarm.fold([head(0, 1)])).rejects.toMatchObject({ code: 'LAYER_REFUSED' })
  })

  test('counts that would make the sum of a mesh inexact', async () => {
    const row = kernel.rowOf('水')!
    const columns = 600
    const block: EvidenceBlock = {
      radical: kernel.radicals[row]!,
      rowIds: Uint32Array.of(row),
      ptr: Uint32Array.of(0, columns),
      cols: Uint32Array.from({ length: columns }, (_, i) => i),
      counts: new Uint32Array(columns).fill(0xffff_ffff),
    }
    const greedy = {
      layer: layer(0),
      radicals: [{ radical: block.radical, bytes: encodeEvidenceBlock(block) }],
      state: encodeStateBlock(new Float32Array(22_903)),
    }
    expect((await newSwarm()).load(greedy)).toMatch(/2\^41 is allowed/)
  })

  test('one that was learned by the other rule, either way', async () => {
    const ground: LearningGround = { kernel, base, self: undefined, stopped: () => false }
    const hebb = new Swarm(ground, new HebbLearning(ground, new ReferenceStepEngine(STABLE_PROFILE), 'mean/1', REFERENCE_FOLD_KERNEL))
    await hebb.use(hebb.engine)
    hebb.setOwned(Array.from({ length: 214 }, (_, index) => index + 1))
    const evidence = await newSwarm()
    for (const swarm of [hebb, evidence]) await swarm.farm(TEXTS[0]!)
    expect(evidence.load(content(hebb.commit(), 1))).toMatch(/does not begin with SGSE/)
    expect(hebb.load(content(evidence.commit(), 1))).toMatch(/does not begin with SGSR/)
  })
})

test('of one member two layers wait for a fold, of those before nothing is kept', async () => {
  const [author, reader] = [await newSwarm(0), await newSwarm(1)]
  for (const seq of [1, 2, 3]) {
    await author.farm(TEXTS[seq - 1]!)
    reader.load(content(author.commit(), 0, seq))
  }
  await expect(reader.fold([head(0, 1)])).rejects.toMatchObject({ code: 'LAYER_REFUSED' })
  await expect(reader.fold([head(0, 2)])).resolves.toMatchObject({ digest: expect.stringMatching(/^[0-9a-f]{64}$/) as string })
  await expect(reader.fold([head(0, 3)])).resolves.toMatchObject({ rows: expect.any(Number) as number })
})

function accepted(bytes: Uint8Array): EvidenceBlock {
  const verdict = parseEvidenceBlock(bytes)
  if (verdict.type !== 'accept') throw new Error(verdict.reason)
  return verdict.value
}

function countOf(draft: CommitDraft, row: number, column: number): number {
  const found = draft.radicals.find(({ radical }) => radical === kernel.radicals[row])
  if (found === undefined) return 0
  const { rowIds, ptr, cols, counts } = accepted(found.bytes)
  const i = rowIds.indexOf(row)
  const at = i === -1 ? -1 : cols.subarray(ptr[i], ptr[i + 1]).indexOf(column)
  return at === -1 ? 0 : counts[ptr[i]! + at]!
}
