import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openColourCompute } from '@sgsd/compute'
import { consensusHeads, draftOp, isMember, type Millis, PROBE_CHUNKS, PROBE_DEADLINE_MS, type PeerName, stateDigest } from '@sgsd/consensus'
import { verifySignature } from '@sgsd/mesh'
import { openProbeAnswer, type Probe, signProbe } from '@sgsd/wire'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Chunks, isLinked, startTestNode, type TestNode, type TestNodeOptions, until } from './admission.fixture.ts'
import { ProbeLimit } from './probe-desk.ts'
import { standingOf } from './standing.ts'

let compute: Awaited<ReturnType<typeof openColourCompute>>
let root: string
let nodes: TestNode[] = []

beforeAll(async () => {
  compute = await openColourCompute({ threads: 1 })
}, 60_000)
afterAll(() => compute.close())
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'sgsd-admission-'))
})
afterEach(async () => {
  await Promise.all(nodes.map((node) => node.close()))
  nodes = []
  await rm(root, { recursive: true, force: true })
})

async function start(options: Omit<TestNodeOptions, 'root' | 'colours'> & { readonly colours?: Chunks }): Promise<TestNode> {
  const node = await startTestNode({ root, colours: compute, ...options })
  nodes.push(node)
  return node
}

const knows = (node: TestNode, other: TestNode): boolean => isMember(node.core.state, other.peer)
const allKnow = (members: readonly TestNode[], other: TestNode): boolean => members.every((member) => knows(member, other))

describe('a mesh that votes, over real sockets', { timeout: 60_000 }, () => {
  test('three members vote a fourth in, and refuse a computer that computes wrong, on every node alike', async () => {
    const f = await start({ name: 'f', vote: true })
    const a = await start({ name: 'a', invite: f.invite })
    await until(() => allKnow([f, a], a), 20_000)
    const b = await start({ name: 'b', invite: a.invite })
    await until(() => allKnow([f, a, b], b), 30_000)
    expect(b.core.state.admitted?.size).toBe(3)

    const wrongly: Chunks = {
      async chunkValues(...args) {
        const values = await compute.chunkValues(...args)
        values.set([values.at(-1)! ^ 1n], values.length - 1)
        return values
      },
    }
    const wrong = await start({ name: 'wrong', invite: f.invite, colours: wrongly })
    const c = await start({ name: 'c', invite: f.invite })
    const members = [f, a, b, c]
    await until(() => allKnow(members, c), 30_000)
    const noes = (node: TestNode): number =>
      [...node.core.state.votes.values()].filter(({ value }) => value.candidate === wrong.peer && !value.ok).length
    await until(() => members.every((node) => noes(node) >= 2), 30_000)
    for (const node of [...members, wrong]) {
      expect(knows(node, wrong)).toBe(false)
      expect(node.core.state.admitted?.size).toBe(4)
    }
    expect(standingOf(f.core.state, wrong.peer)).toEqual({
      state: 'candidate',
      why: expect.stringMatching(/^0 of 3 votes; [abcf] says no: a wrong value for chunk 63 of 64$/),
    })
    await until(() => members.every((node) => Buffer.compare(stateDigest(node.core.state), stateDigest(f.core.state)) === 0), 20_000)
  })

  test('a candidate that is too slow gets a no with the reason, and is not in', async () => {
    const f = await start({ name: 'f', vote: true })
    const slowly: Chunks = {
      async chunkValues(...args) {
        await sleep(PROBE_DEADLINE_MS + 200)
        return compute.chunkValues(...args)
      },
    }
    const slow = await start({ name: 'slow', invite: f.invite, colours: slowly })
    await until(() => f.core.state.votes.size === 1, 25_000)
    expect([...f.core.state.votes.values()][0]?.value).toMatchObject({
      candidate: slow.peer,
      ok: false,
      reason: 'no answer within 5000 ms',
    })
    expect(knows(f, slow)).toBe(false)
  })

  test('a candidate computes for members alone and says busy to others; once it is in, it computes for nobody', async () => {
    const f = await start({ name: 'f', vote: true })
    let computed = 0
    const counting: Chunks = {
      chunkValues(...args) {
        computed += 1
        return compute.chunkValues(...args)
      },
    }
    const a = await start({ name: 'a', invite: f.invite, colours: counting })
    await until(() => allKnow([f, a], a), 20_000)
    expect(computed).toBe(1)
    const ask = async (prober: TestNode, candidate: TestNode): Promise<string> => {
      const probe: Probe = {
        mesh: f.core.meshId,
        prober: prober.peer,
        candidate: candidate.peer,
        nonce: 'ef'.repeat(32),
        first: 9n,
        chunks: PROBE_CHUNKS,
      }
      const bytes = await prober.mesh.probe(candidate.peer, signProbe(probe, prober.core.credentials.identity.sign), AbortSignal.timeout(5_000))
      const answer = openProbeAnswer(bytes, probe, verifySignature)
      return answer.type === 'accept' ? answer.value.status : answer.reason
    }
    expect(await ask(f, a)).toBe('member')
    const silent: Chunks = { chunkValues: () => Promise.reject(new Error('not in this test')) }
    const [x, y] = [await start({ name: 'x', invite: f.invite, colours: silent }), await start({ name: 'y', invite: f.invite, colours: silent })]
    await until(() => isLinked(x, y) || isLinked(y, x), 20_000).catch(() => x.mesh.dial(y.mesh.multiaddrs()[0]!, AbortSignal.timeout(5_000)))
    expect(await ask(y, x)).toBe('busy')
    await expect(f.mesh.probe(a.peer, new Uint8Array(100), AbortSignal.timeout(5_000))).rejects.toMatchObject({ name: 'MeshError' })
  })

  test('how much a candidate computes for others is bounded', () => {
    const limit = new ProbeLimit()
    const at = (ms: number): Millis => ms as Millis
    const who = (i: number): PeerName => `p${i}` as PeerName
    expect([0, 1, 2].map((i) => limit.begin(who(i), at(0)))).toEqual([true, true, false])
    limit.done()
    expect(limit.begin(who(0), at(4_999))).toBe(false)
    expect(limit.begin(who(0), at(5_000))).toBe(true)
    let taken = 0
    for (let i = 10; i < 100; i++) {
      limit.done()
      if (limit.begin(who(i), at(6_000))) taken += 1
    }
    expect(taken).toBe(28)
    limit.done()
    expect(limit.begin(who(200), at(60_000 + 6_000))).toBe(true)
  })
})

describe('a revoked member, over real sockets', { timeout: 60_000 }, () => {
  test('is left and refused by every member within 10 s, its head leaves the fold; readmitted it is back', async () => {
    const a = await start({ name: 'a' })
    const b = await start({ name: 'b', invite: a.invite })
    const c = await start({ name: 'c', invite: a.invite })
    await until(() => isLinked(a, b) && isLinked(a, c) && isLinked(b, c) && [a, b, c].every((node) => node.core.state.roster.size === 3), 20_000)
    c.core.author({ kind: 'head', value: { author: c.peer, seq: 1n, layer: '11'.repeat(32) as never, radicals: [1] } })
    await until(() => [a, b].every((node) => node.core.state.heads.size === 1), 10_000)
    for (const node of [a, b]) node.core.handle({ type: 'layer-ready', head: node.core.state.heads.get(c.peer)! })
    for (const node of [a, b]) expect(consensusHeads(node.core.state)).toHaveLength(1)

    a.core.author({ kind: 'op', value: draftOp(a.core.state, c.peer, 'revoke', 'stolen') })
    const ms = await until(() => !isLinked(a, c) && !isLinked(b, c) && c.mesh.links().length === 0, 10_000)
    expect(ms).toBeLessThan(10_000)
    for (const node of [a, b]) {
      expect(consensusHeads(node.core.state)).toEqual([])
      expect(standingOf(node.core.state, c.peer)).toEqual({ state: 'revoked', why: 'by a: stolen' })
    }
    // it heard of it before it was left, and can say so
    expect(standingOf(c.core.state, c.peer).state).toBe('revoked')
    await c.mesh.dial(a.mesh.multiaddrs()[0]!, AbortSignal.timeout(3_000)).catch(() => undefined)
    await sleep(3_000)
    expect([isLinked(a, c), isLinked(b, c)]).toEqual([false, false])
    expect(isLinked(a, b)).toBe(true)

    b.core.author({ kind: 'op', value: draftOp(b.core.state, c.peer, 'readmit', 'found again') })
    await until(() => [a, b, c].every((node) => standingOf(node.core.state, c.peer).state === 'member') && isLinked(a, c) && isLinked(b, c), 20_000)
    for (const node of [a, b]) expect(consensusHeads(node.core.state)).toHaveLength(1)
  })
})
