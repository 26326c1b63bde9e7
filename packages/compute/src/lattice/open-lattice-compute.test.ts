import type { LayerId, PeerName } from '@sgsd/consensus'
import { HANZI_KERNEL_ID } from '@sgsd/lattice'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openLatticeCompute } from './open-lattice-compute.ts'
import type { CommitDraft, LatticeCompute, LayerContent } from './port.ts'

const TEXT = ['天地玄黄', '宇宙洪荒', '日月盈昃', '辰宿列张', '寒来暑往', '秋收冬藏', '闰余成岁', '律吕调阳', '云腾致雨', '露结为霜']
const LAYER = 'a'.repeat(64) as LayerId
const PEER = '12D3KooWMember' as PeerName
const RADICALS = Array.from({ length: 214 }, (_, index) => index + 1)

function content(draft: CommitDraft, layer: LayerId = LAYER): LayerContent {
  return { layer, radicals: draft.radicals.map(({ radical, bytes }) => ({ radical, bytes })), state: draft.state }
}

let compute: LatticeCompute

beforeAll(async () => {
  compute = await openLatticeCompute()
})

afterAll(async () => {
  await compute.close()
})

test('info names the kernel, its lattice and every provider with a reason', () => {
  const info = compute.info()
  expect(info).toMatchObject({ kernelId: HANZI_KERNEL_ID, rows: 22_903 })
  expect(info.tauEdges).toBeGreaterThan(100_000)
  expect(info.rowRate).toBeGreaterThan(100_000)
  expect(info.radicalRows.reduce((a, b) => a + b, 0)).toBe(info.rows)
  expect(info.providers.map(({ provider }) => provider).sort()).toEqual(['native', 'onnx:coreml', 'onnx:cuda', 'onnx:dml', 'onnx:webgpu', 'wasm'])
  expect(info.providers.filter(({ state }) => state === 'active')).toHaveLength(1)
  for (const { why } of info.providers) expect(why).toMatch(/^\S.{10,}$/)
})

test('ask finds characters of like meaning, not those of the text', async () => {
  const answer = await compute.ask('水A', 12)
  expect(answer.known).toEqual(['水'])
  expect(answer.unknown).toEqual(['A'])
  expect(answer.converged).toBe(true)
  expect(answer.nearest.length).toBeGreaterThan(3)
  expect(answer.nearest.map(({ character }) => character)).not.toContain('水')
  expect(answer.nearest.some(({ definition }) => /water/i.test(definition))).toBe(true)
  answer.nearest.forEach(({ value }, i) => expect(value).toBeLessThanOrEqual(answer.nearest[Math.max(0, i - 1)]!.value))
})

test('a text without a known character is TEXT_UNKNOWN', async () => {
  await expect(compute.ask('abc, 123', 3)).rejects.toMatchObject({ code: 'TEXT_UNKNOWN', data: { text: 'abc, 123' } })
})

test('a layer goes out through the worker and comes back into the fold', async () => {
  await compute.setOwned(RADICALS)
  const report = await compute.farm(['hello', ...TEXT])
  expect(report).toMatchObject({ skipped: 1, graded: TEXT.length - 1 })
  expect(report.touchedRows).toBeGreaterThan(0)
  const draft = await compute.commit()
  expect(draft.lines).toBe(report.graded)
  expect(await compute.load(content(draft))).toBeUndefined()
  const folded = await compute.fold([{ peer: PEER, seq: 1n, layer: LAYER, weight: 0 }])
  expect(folded).toMatchObject({ digest: expect.stringMatching(/^[0-9a-f]{64}$/), rows: report.touchedRows })
  // bytes of the caller were copied, not taken
  expect(await compute.load(content(draft))).toBeUndefined()
})

test('a compute of an evidence mesh counts, predicts, learns and folds through its worker', async () => {
  await using evidence = await openLatticeCompute({ provider: 'reference', fold: 'evidence/1', self: PEER })
  expect(await evidence.farm(['hello', ...TEXT.slice(0, 8)])).toMatchObject({ skipped: 1, graded: 7 })
  expect(await evidence.farm(TEXT.slice(7), { context: TEXT.slice(4, 7) })).toMatchObject({ graded: 2 })
  expect(await evidence.learn([{ line: '天地', score: 0.5, revision: '日月' }])).toMatchObject({ graded: 1, meanScore: 0.5 })
  const draft = await evidence.commit()
  expect(draft.lines).toBe(10)
  const [prediction, nothing] = await evidence.predict(['天地玄黄', 'hello'], 4)
  expect(prediction!.nearest.map(({ character }) => character).every((character) => TEXT.join('').includes(character))).toBe(true)
  expect(nothing!.nearest).toEqual([])
  expect(await evidence.load(content(draft))).toBeUndefined()
  const folded = await evidence.fold([{ peer: PEER, seq: 1n, layer: LAYER, weight: 1 }])
  expect(folded.rows).toBe(draft.radicals.reduce((sum, { rows }) => sum + rows, 0))
  expect((await evidence.predict(['天地玄黄', 'hello'], 4))[0]).toEqual(prediction)
  // layers of the other rule are refused, whichever way
  expect(await compute.load(content(draft, 'b'.repeat(64) as LayerId))).toMatch(/SGSR/)
})

test('calls after close are CLOSED, close is idempotent, and a second compute is not disturbed', async () => {
  const other = await openLatticeCompute({ provider: 'wasm' })
  const farming = other.farm(Array.from({ length: 5_000 }, (_, i) => TEXT[i % TEXT.length]!))
  const outcome = Promise.allSettled([farming])
  const began = performance.now()
  await Promise.all([other.close(), other.close()])
  expect(performance.now() - began).toBeLessThan(2_000)
  expect(await outcome).toMatchObject([{ status: 'rejected', reason: { code: 'CLOSED' } }])
  await expect(other.ask('水', 1)).rejects.toMatchObject({ code: 'CLOSED' })
  expect((await compute.ask('水', 1)).nearest).toHaveLength(1)
})

test.for(['wasm', 'reference'])('%s steps when it is asked for', async (provider) => {
  await using other = await openLatticeCompute({ provider })
  expect(other.info().providers.find(({ state }) => state === 'active')).toMatchObject({ provider })
  expect((await other.ask('水', 3)).provider).toBe(provider)
})

test.for(['cpu', 'onnx:cpu', 'gpu', ''])('%j is no provider', async (provider) => {
  await expect(openLatticeCompute({ provider })).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE', data: { provider } })
})

test.runIf(process.platform === 'linux')('a provider of another platform, asked for by name, is refused with the reason', async () => {
  await expect(openLatticeCompute({ provider: 'onnx:coreml' })).rejects.toMatchObject({
    code: 'PROVIDER_UNAVAILABLE',
    data: { provider: 'onnx:coreml', detail: 'coreml does not exist on linux' },
  })
})
