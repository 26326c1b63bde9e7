import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ColourCompute, InlineColourCompute } from '@sgsd/compute'
import { draftProof, isExcluded, itemKey, type Signed } from '@sgsd/consensus'
import type { Mesh } from '@sgsd/mesh'
import { openMemoryStore } from '@sgsd/store'
import { signItem } from '@sgsd/wire'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { dataDir } from '../data-dir.ts'
import { MineLoop } from '../loops/mine.ts'
import { AuditLoop } from './audit-loop.ts'
import { markUnused, ownPastKnown } from './first-sync.ts'
import { readGoodEpochs, saveGoodEpochs } from './good-epochs.ts'
import { checkProofFile, proofFile } from './proof-file.ts'
import { CHUNKS, claim, judgeOf, type Node, trueValues, twoNodes } from './two-nodes.fixture.ts'

type Engine = Pick<ColourCompute, 'chunkValues' | 'engine'>

const signal = new AbortController().signal
const inline = new InlineColourCompute()

/** An engine of which one chunk of epoch 0 is wrong. */
const broken = (chunk: number): Engine => ({
  engine: 'broken',
  async chunkValues(kernel, seed, first, count, stop) {
    const values = await inline.chunkValues(kernel, seed, first, count, stop)
    const index = chunk - Number(first)
    if (index >= 0 && index < count) values[index]! ^= 1n
    return values
  },
})

function auditor(node: Node, { colours = inline, isPaused = false }: { colours?: Engine; isPaused?: boolean } = {}) {
  const halted: string[] = []
  const mining = {
    isPaused,
    get fault() {
      return halted[0]
    },
    halt: (fault: string) => void halted.push(fault),
  }
  const referee = { value: async (_epoch: bigint, chunk: number) => trueValues(node, chunk, 1)[0]! }
  return { halted, loop: new AuditLoop({ ...node, colours, referee, mining, signal }) }
}

/** Audits until there is nothing left to recompute. */
async function finish(loop: AuditLoop): Promise<void> {
  while (await loop.pass());
}

describe('audits', () => {
  test('honest claims are recomputed whole while their author is new, and nothing follows', async () => {
    const [one, other] = await twoNodes()
    const signed = await claim(other, one, 0, trueValues(one))
    const { loop, halted } = auditor(one)
    await finish(loop)
    expect(loop.chunks).toBe(CHUNKS)
    expect(one.core.state.audits.get(itemKey(signed))).toHaveLength(CHUNKS)
    expect(one.core.state.audited.get(other.core.state.self)).toEqual({ chunks: CHUNKS, failed: 0 })
    expect([one.core.state.proofs.size, halted]).toEqual([0, []])
    await finish(loop)
    expect(loop.chunks).toBe(CHUNKS)
  })

  test('a wrong value is proved, and its author is out once the chunk is recomputed on the reference kernel', async () => {
    const [one, other] = await twoNodes()
    const judge = judgeOf(one)
    const values = trueValues(one)
    values[2]! ^= 1n
    await claim(other, one, 0, values)
    await finish(auditor(one).loop)
    await vi.waitFor(() => expect(isExcluded(one.core.state, other.core.state.self, 0n)).toBe(true))
    const [proof] = [...one.core.state.proofs.values()]
    expect(proof?.value).toMatchObject({ chunk: 2, value: values[2] })
    expect([judge.verdict(proof!), judge.computed(proof!)]).toEqual(['upheld', values[2]! ^ 1n])
    expect(one.core.state.audited.get(other.core.state.self)?.failed).toBe(1)
  })

  test('where the reference kernel agrees with the claim, it is this machine: mining stops, nobody is accused', async () => {
    const [one, other] = await twoNodes()
    await claim(other, one, 0, trueValues(one))
    const { loop, halted } = auditor(one, { colours: broken(3) })
    await finish(loop)
    expect(halted).toEqual([
      expect.stringMatching(/engine broken computed 0x[0-9a-f]{16} for chunk 3 of epoch 0, the reference kernel 0x[0-9a-f]{16}/),
    ])
    expect(one.core.state.proofs.size).toBe(0)
    const before = loop.chunks
    await finish(loop)
    expect(loop.chunks).toBe(before)
  })

  test('a claim whose leaves are gone is passed over, and a pause is one of audits too', async () => {
    const [one, other] = await twoNodes()
    const signed = await claim(other, one, 0, trueValues(one))
    await finish(auditor(one, { isPaused: true }).loop)
    await one.blocks.delete(signed.value.leaves)
    const { loop, halted } = auditor(one)
    await finish(loop)
    expect([loop.chunks, one.core.state.audited.size, one.core.state.proofs.size, halted]).toEqual([0, 0, 0, []])
  })
})

describe('a claim is checked before it is signed', () => {
  const mineOn = (node: Node, colours: Engine): { loop: MineLoop; stop: () => Promise<void> } => {
    const stopping = new AbortController()
    const claims = { root: async () => 'ab'.repeat(32), close: async () => {}, [Symbol.asyncDispose]: async () => {} }
    const referee = { value: async (_epoch: bigint, chunk: number) => trueValues(node, chunk, 1)[0]! }
    const parts = { ...node, colours: colours as ColourCompute, claims, referee, signal: stopping.signal }
    const loop = new MineLoop(parts, { auto: true, epochs: 1 })
    const running = loop.run()
    return {
      loop,
      stop: async () => {
        stopping.abort()
        await running
      },
    }
  }

  test('by an engine that is right, claims go out', async () => {
    const [one] = await twoNodes()
    const { loop, stop } = mineOn(one, inline)
    await vi.waitFor(() => expect(loop.state).toBe('done'), 10_000)
    expect([loop.fault, loop.chunks]).toEqual([undefined, CHUNKS])
    await stop()
  })

  test('by one that is always wrong none does; mining stops, says why, and begins again when a person says so', async () => {
    const [one] = await twoNodes()
    const wrong: Engine = {
      engine: 'broken',
      chunkValues: async (_kernel, _seed, _first, count) => new BigUint64Array(count),
    }
    const { loop, stop } = mineOn(one, wrong)
    await vi.waitFor(() => expect(loop.fault).toMatch(/engine broken computed 0x0{16} for chunk/), 10_000)
    expect(loop.state).toBe('paused')
    expect(one.core.state.claims.size).toBe(0)
    expect(one.warnings).toEqual([expect.stringMatching(/^mining has stopped: engine broken/)])
    loop.start()
    expect([loop.state, loop.fault]).toEqual(['mining', undefined])
    await stop()
  })
})

describe('a proof file', () => {
  const proofOf = (accuser: Node, signed: Signed<'claim'>, chunk: number, values: BigUint64Array): Signed<'proof'> => {
    const { identity, meshId } = accuser.core.credentials
    return signItem({ kind: 'proof', value: draftProof(accuser.core.state, signed, chunk, values) }, meshId, identity.sign) as Signed<'proof'>
  }
  const fileOf = async (wrong: boolean): Promise<{ text: string; proof: Signed<'proof'> }> => {
    const [one, other] = await twoNodes()
    const values = trueValues(one)
    if (wrong) values[4]! ^= 1n
    const proof = proofOf(one, await claim(other, one, 0, values), 4, values)
    return { text: JSON.stringify(proofFile(one.core.credentials.genesisBytes, proof)), proof }
  }

  test('proves fraud with nothing but itself', async () => {
    const { text, proof } = await fileOf(true)
    const checked = checkProofFile(text)
    expect(checked).toMatchObject({ verdict: 'fraud', proof: { id: proof.id, accused: proof.value.claim.value.author, chunk: 4 } })
    expect(BigInt(checked.proof!.claimed) ^ BigInt(checked.proof!.computed!)).toBe(1n)
  })

  test('shows a false accusation', async () => {
    const checked = checkProofFile((await fileOf(false)).text)
    expect(checked.verdict).toBe('false')
    expect(checked.proof!.claimed).toBe(checked.proof!.computed)
  })

  test('says nothing once a byte of it is another, or under another mesh', async () => {
    const { text } = await fileOf(true)
    const file = JSON.parse(text) as { genesis: string; proof: string }
    const flip = (hex: string, at: number): string => `${hex.slice(0, at)}${hex[at] === '0' ? '1' : '0'}${hex.slice(at + 1)}`
    for (const at of [8, file.proof.length >> 1, file.proof.length - 1]) {
      expect(checkProofFile(JSON.stringify({ ...file, proof: flip(file.proof, at) }))).toMatchObject({ verdict: 'invalid' })
    }
    expect(checkProofFile(JSON.stringify({ ...file, genesis: flip(file.genesis, file.genesis.length - 1) }))).toMatchObject({ verdict: 'invalid' })
    for (const junk of ['', '{}', '[]', JSON.stringify({ ...file, more: 1 }), JSON.stringify({ ...file, proof: 'zz' })]) {
      expect(() => checkProofFile(junk)).toThrow(expect.objectContaining({ code: 'PROOF_UNREADABLE' }))
    }
  })
})

describe('good epochs', () => {
  test('survive a restart', async () => {
    const { items } = await openMemoryStore()
    const [{ core }] = await twoNodes()
    const goodEpochs = new Map([[core.state.self, 7]])
    saveGoodEpochs(items, { goodEpochs })
    expect(readGoodEpochs(items)).toEqual(goodEpochs)
  })

  test.for(['', 'null', '{', '{"x":3}', '[1]'])('that cannot be read (%s) are none', async (text) => {
    const { items } = await openMemoryStore()
    items.setValue('trust.good-epochs', Buffer.from(text))
    expect(readGoodEpochs(items).size).toBe(0)
  })
})

describe('what this node signed before', () => {
  let root: string
  afterEach(() => {
    vi.useRealTimers()
    return rm(root, { recursive: true, force: true })
  })

  /** A node without a record of its own on disk. */
  async function lost(roster: number, links: number) {
    root = await mkdtemp(join(tmpdir(), 'sgsd-past-'))
    const [node] = await twoNodes()
    const { state } = node.core
    const members = new Map([...state.roster].filter(([peer]) => peer !== state.self).slice(0, roster))
    const core = { state: { ...state, roster: members } } as unknown as Node['core']
    const mesh = { links: () => Array.from({ length: links }) } as unknown as Mesh
    return { core, mesh, files: dataDir(root), log: node.log, events: node.events, warnings: node.warnings }
  }

  test('is nothing with a new key: it takes part at once, and is marked as used', async () => {
    const parts = await lost(0, 0)
    await markUnused(parts.files)
    await ownPastKnown(parts, new Promise(() => {}), signal)
    await expect(stat(parts.files.unused)).rejects.toMatchObject({ code: 'ENOENT' })
    expect(parts.warnings).toEqual([])
  })

  test('is known where the own record is on disk', async () => {
    const parts = await lost(0, 0)
    const [{ core }] = await twoNodes()
    await ownPastKnown({ ...parts, core }, new Promise(() => {}), signal)
    expect(parts.warnings).toEqual([])
  })

  test.for([
    { roster: 0, links: 1 },
    { roster: 1, links: 0 },
  ])('is waited for with members (%o), until one exchange is over, however long', async ({ roster, links }) => {
    const parts = await lost(roster, links)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    const { promise, resolve } = Promise.withResolvers<void>()
    let isKnown = false
    const waiting = ownPastKnown(parts, promise, signal).then(() => (isKnown = true))
    await vi.waitFor(() => expect(parts.warnings).toHaveLength(1))
    await vi.advanceTimersByTimeAsync(600_000)
    expect(isKnown).toBe(false)
    resolve()
    await vi.advanceTimersByTimeAsync(1_000)
    await waiting
  })

  test('is given up after half a minute alone', async () => {
    const parts = await lost(0, 0)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    let isKnown = false
    const waiting = ownPastKnown(parts, new Promise(() => {}), signal).then(() => (isKnown = true))
    await vi.waitFor(() => expect(parts.warnings).toHaveLength(1))
    await vi.advanceTimersByTimeAsync(29_000)
    expect(isKnown).toBe(false)
    await vi.advanceTimersByTimeAsync(2_000)
    await waiting
  })
})
