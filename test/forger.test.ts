import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openColourCompute } from '../packages/compute/src/index.ts'
import type { FarmAccepted, PeerTrustDocument, ProofCheck, ProofFile, ProofsDocument, StatusDocument } from '../packages/daemon/src/control/api.ts'
import { initDataDir, joinMesh, openControl } from '../packages/daemon/src/index.ts'
import { killAll, sgsd, sgsdJson, statusWhen, up, upOther } from './sgsd.ts'

/** Five daemons on two busy cores. */
const PATIENCE_MS = 180_000
const EPOCH_COLOURS = 2n ** 29n
const EPOCHS = 2
const HONEST = ['atlas', 'boreas', 'ceres', 'diana'] as const
const FORGER = 'forger'
const ALL = [...HONEST, FORGER]
const LINES = ['天地玄黃', '宇宙洪荒', '日月盈昃', '辰宿列張', '寒來暑往', '秋收冬藏', '閏餘成歲', '律呂調陽', '雲騰致雨', '露結爲霜']

let root: string
let forger: string
const at = (name: string): string => join(root, name)
const each = <T>(names: readonly string[], work: (name: string, index: number) => Promise<T>): Promise<T[]> => Promise.all(names.map(work))
const hex = (value: bigint): string => `0x${value.toString(16).padStart(16, '0')}`
const node = { listen: ['/ip4/127.0.0.1/tcp/0'], config: { mdns: false, tailscale: false, mine: { epochs: EPOCHS, threads: 1 } } }

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sgsd-forger-'))
  await initDataDir(at('atlas'), { ...node, name: 'atlas', open: true, epochColours: EPOCH_COLOURS })
  const first = await up(at('atlas'), '--no-mine', '--no-farm')
  await each(ALL.slice(1), async (name) => {
    const { peerId } = await joinMesh(at(name), first.multiaddrs[0]!, { ...node, name })
    if (name === FORGER) forger = peerId
  })
  await each(ALL.slice(1), (name) =>
    name === FORGER ? upOther(join(import.meta.dirname, 'forging-daemon.ts'), at(name)) : up(at(name), '--no-mine', '--no-farm'),
  )
  await each(ALL, (name) => statusWhen(at(name), ({ mesh }) => mesh.members === ALL.length))
}, PATIENCE_MS)

afterAll(async () => {
  await killAll()
  await rm(root, { recursive: true, force: true })
})

describe('one of five forges fingerprints', { timeout: PATIENCE_MS }, () => {
  test('it learns like the others until it is caught', async () => {
    await each(ALL, (name, i) =>
      openControl(at(name)).send<FarmAccepted>('/v1/farm?name=lines', Readable.from([`${LINES.slice(2 * i, 2 * i + 2).join('\n')}\n`])),
    )
    await each(HONEST, (name) => statusWhen(at(name), ({ consensus }) => consensus.heads === ALL.length))
  })

  test('every honest node excludes it by its own computation, and the epochs end with the XOR that one machine gets alone', async () => {
    await openControl(at(FORGER)).post('/v1/mine', { action: 'start' })
    await each(HONEST, (name) => openControl(at(name)).post('/v1/mine', { action: 'start' }))
    const isMended = ({ colours, trust }: StatusDocument): boolean =>
      trust.excluded.some(({ peerId }) => peerId === forger) &&
      trust.repairing.length === 0 &&
      colours.state === 'done' &&
      colours.closed.length === EPOCHS
    const statuses = await each(HONEST, (name) => statusWhen(at(name), isMended, PATIENCE_MS))
    await using compute = await openColourCompute({ threads: 1 })
    const alone = async (epoch: number): Promise<string> =>
      hex(
        await compute.rangeXor('spi64', BigInt(statuses[0]!.colours.seed), BigInt(epoch) * EPOCH_COLOURS, EPOCH_COLOURS, AbortSignal.timeout(30_000)),
      )
    const expected = [
      { epoch: hex(1n), xor: await alone(1), how: 'computed' },
      { epoch: hex(0n), xor: await alone(0), how: 'computed' },
    ]
    for (const { colours, trust, warnings } of statuses) {
      expect(colours.closed).toEqual(expected)
      expect(trust.excluded.map(({ peerId, cause }) => ({ peerId, cause }))).toEqual([{ peerId: forger, cause: 'forged' }])
      expect(trust.fault).toBe('')
      expect(warnings).toContainEqual({
        message: expect.stringMatching(/forger is excluded up to epoch \d+: it claimed a wrong value/),
        hint: 'sgsd peer show forger',
      })
    }
  })

  test('what it learned leaves the fold, on all of them alike', async () => {
    const statuses = await each(HONEST, (name) =>
      statusWhen(at(name), ({ consensus, mesh }) => consensus.heads === HONEST.length && mesh.agreeing >= HONEST.length),
    )
    expect(new Set(statuses.map(({ consensus }) => consensus.digest)).size).toBe(1)
  })

  test('sgsd peer show names the chunk, both values and what to type; sgsd proof check agrees without a daemon', async () => {
    const { trust } = await sgsdJson<{ trust: PeerTrustDocument }>(['peer', 'show', FORGER, '--data-dir', at('diana')])
    expect(trust.excluded?.cause).toBe('forged')
    expect(trust.offences).toBe(1)
    const [shown] = trust.proofs
    expect(shown?.verdict).toBe('upheld')
    expect(BigInt(shown!.claimed) ^ BigInt(shown!.computed!)).toBe(0xbadn)

    const text = await sgsd(['peer', 'show', FORGER, '--data-dir', at('diana')])
    expect(text.out).toContain(shown!.claimed)
    expect(text.out).toContain(shown!.computed!)
    expect(text.out).toMatch(/sgsd proof export [0-9a-f]{12} > proof\.json && sgsd proof check proof\.json/)
    expect(text.out).toMatch(/of one that forges 5 %/)

    const { proofs } = await sgsdJson<ProofsDocument>(['proof', 'ls', '--data-dir', at('boreas')])
    expect(new Set(proofs.map(({ accused }) => accused))).toEqual(new Set([forger]))
    const exported = await sgsd(['proof', 'export', shown!.id.slice(0, 12), '--data-dir', at('diana')])
    await writeFile(at('proof.json'), exported.out)
    const checked = await sgsd(['proof', 'check', at('proof.json'), '--json'])
    expect(checked.code).toBe(0)
    expect(JSON.parse(checked.out) as ProofCheck).toMatchObject({
      verdict: 'fraud',
      proof: { id: shown!.id, accused: forger, claimed: shown!.claimed, computed: shown!.computed },
    })

    const file = JSON.parse(exported.out) as ProofFile
    const last = file.proof.at(-1) === '0' ? '1' : '0'
    const forged = await sgsd(['proof', 'check', '-'], { input: JSON.stringify({ ...file, proof: `${file.proof.slice(0, -1)}${last}` }) })
    expect(forged.code).toBe(7)
    expect(forged.out).toMatch(/this proves nothing/)
  })

  test('nobody honest is accused, and what auditing cost is counted', async () => {
    for (const name of HONEST) {
      const control = openControl(at(name))
      const { trust, peers } = await control.get<StatusDocument>('/v1/status')
      expect(trust.audited).toBeGreaterThan(0)
      expect(trust.cost).toBeCloseTo(trust.audited / trust.mined, 9)
      for (const { peerId } of peers.filter((peer) => peer.peerId !== forger)) {
        const shown = await control.get<PeerTrustDocument>(`/v1/trust?peer=${peerId}`)
        expect(shown).toMatchObject({ excluded: null, offences: 0, failed: 0, proofs: [] })
      }
    }
  })
})
