import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { zstdDecompressSync } from 'node:zlib'
import { type LayerId, type PeerName, REFERENCE_FOLD_KERNEL } from '@sgsd/consensus'
import {
  buildLattice,
  HANZI_TABLE_FILE,
  type HanziKernel,
  type LatticeMatrices,
  MAX_EVIDENCE_TOTAL,
  MAX_PAIR_COUNT,
  parseHanziTable,
} from '@sgsd/lattice'
import { encodeEvidenceBlock } from '@sgsd/wire'
import { beforeAll, expect, test } from 'vitest'
import { EvidenceLearning } from './learning/evidence-learning.ts'
import { HebbLearning } from './learning/hebb-learning.ts'
import type { CommitDraft, LayerContent } from './port.ts'
import { ReferenceStepEngine } from './reference-step-engine.ts'
import { STABLE_PROFILE } from './step-engine.ts'
import { type AnySwarm, Swarm } from './swarm.ts'

const TEXT = ['天地玄黄', '宇宙洪荒', '日月盈昃', '辰宿列张', '寒来暑往', '秋收冬藏']
const ALL_RADICALS = Array.from({ length: 214 }, (_, index) => index + 1)

let kernel: HanziKernel
let base: LatticeMatrices

beforeAll(() => {
  const parsed = parseHanziTable(zstdDecompressSync(readFileSync(fileURLToPath(import.meta.resolve(HANZI_TABLE_FILE)))))
  if ('error' in parsed) throw new Error(parsed.error)
  kernel = parsed
  base = buildLattice(kernel)
})

async function swarmOf(rule: 'hebb' | 'evidence', owned: readonly number[] = ALL_RADICALS): Promise<AnySwarm> {
  const engine = new ReferenceStepEngine(STABLE_PROFILE)
  const ground = { kernel, base, self: 'self' as PeerName, stopped: () => false }
  const swarm: AnySwarm =
    rule === 'hebb'
      ? new Swarm(ground, new HebbLearning(ground, engine, 'mean/1', REFERENCE_FOLD_KERNEL))
      : new Swarm(ground, new EvidenceLearning(ground, engine))
  await swarm.use(engine)
  swarm.setOwned(owned)
  return swarm
}

function content({ radicals, state }: CommitDraft): LayerContent {
  return { layer: 'aa'.repeat(32) as LayerId, radicals: radicals.map(({ radical, bytes }) => ({ radical, bytes })), state }
}

const rowsOf = ({ radicals }: CommitDraft): number => radicals.reduce((sum, { rows }) => sum + rows, 0)

test('weights that a member adopts are its own from then on, to the bit', async () => {
  const teacher = await swarmOf('hebb')
  await teacher.farm(TEXT)
  const taught = teacher.commit()
  const pupil = await swarmOf('hebb')
  expect(pupil.adopt(content(taught))).toEqual({ rows: rowsOf(taught), leftOut: 0 })
  expect(pupil.commit().radicals).toEqual(taught.radicals)
  // and it answers from them, as somebody who restored them does
  const restored = await swarmOf('hebb')
  await restored.restore(content(taught), 0, 0)
  expect((await pupil.ask('天地', 5)).nearest).toEqual((await restored.ask('天地', 5)).nearest)
})

test('rows of radicals that are others’ are left out', async () => {
  const teacher = await swarmOf('hebb')
  await teacher.farm(TEXT)
  const taught = teacher.commit()
  const [mine] = taught.radicals
  const pupil = await swarmOf('hebb', [mine!.radical])
  expect(pupil.adopt(content(taught))).toEqual({ rows: mine!.rows, leftOut: rowsOf(taught) - mine!.rows })
  expect(pupil.commit().radicals).toEqual([mine])
})

test('counts are added to those that are there: as if this member had farmed both texts', async () => {
  const [first, second, both] = await Promise.all([swarmOf('evidence'), swarmOf('evidence'), swarmOf('evidence')])
  await first.farm(TEXT)
  await second.farm([...TEXT].reverse())
  await both.farm([...TEXT, '', ...TEXT.toReversed()])
  const given = second.commit()
  expect(first.adopt(content(given))).toEqual({ rows: rowsOf(given), leftOut: 0 })
  expect(first.commit().radicals).toEqual(both.commit().radicals)
})

test('counts past what one member may hold are refused, and nothing changes', async () => {
  const swarm = await swarmOf('evidence')
  await swarm.farm(TEXT)
  const before = swarm.commit()
  // within the bounds alone, beyond them with what is there
  const pairs = Math.floor(MAX_EVIDENCE_TOTAL / MAX_PAIR_COUNT)
  const radical = kernel.radicals[0]!
  const cols = Uint32Array.from({ length: pairs }, (_, column) => column)
  const block = { radical, rowIds: Uint32Array.of(0), ptr: Uint32Array.of(0, pairs), cols, counts: new Uint32Array(pairs).fill(MAX_PAIR_COUNT) }
  const large = { ...content(before), radicals: [{ radical, bytes: encodeEvidenceBlock(block) }] }
  expect(() => swarm.adopt(large)).toThrow(expect.objectContaining({ code: 'LAYER_REFUSED' }) as Error)
  expect(swarm.commit().radicals).toEqual(before.radicals)
  expect(() => swarm.adopt({ ...large, radicals: [{ radical, bytes: new Uint8Array(3) }] })).toThrow(
    expect.objectContaining({ code: 'LAYER_REFUSED' }) as Error,
  )
})
