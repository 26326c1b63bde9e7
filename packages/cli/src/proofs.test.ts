import { chunkValue } from '@sgsd/color'
import { claimRoot, type ClaimContext, type Genesis, merklePath, type BlockId, type RosterHash, type SignedClaim } from '@sgsd/consensus'
import type { PeerTrustDocument, ProofCheck, ProofDocument } from '@sgsd/daemon'
import { createIdentity, type Identity, openIdentity } from '../../mesh/src/index.ts'
import { encodeGenesis, meshIdOf, signItem } from '@sgsd/wire'
import { describe, expect, test } from 'vitest'
import { edges } from './edges.ts'
import { type Ran, runCommand } from './fixtures/command-run.ts'
import { styleOf } from './text/style.ts'
import { proofTable, trustDetails } from './view/trust.ts'

const GENESIS: Genesis = {
  version: 1,
  name: 'oak',
  colourSeed: 42n,
  colourKernel: 'spi64',
  epochColours: 2n ** 22n,
  latticeKernel: '00'.repeat(32),
  foldId: 'mean/1',
  admission: 'open',
  nonce: '22'.repeat(16),
}
const genesis = encodeGenesis(GENESIS)
const meshId = meshIdOf(genesis)
const identity = async (): Promise<Identity> => openIdentity(await createIdentity())
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** A proof about chunk 1 of a claim whose values are off by `lie` there. */
async function proofText(lie: bigint): Promise<string> {
  const [accuser, accused] = [await identity(), await identity()]
  const values = BigUint64Array.from({ length: 4 }, (_, chunk) => chunkValue('spi64', 42n, BigInt(chunk)))
  values[1]! ^= lie
  const context: ClaimContext = { meshId, epoch: 0n, rosterHash: '33'.repeat(32) as RosterHash, author: accused.peer, run: { start: 0, count: 4 } }
  const { author, epoch, rosterHash, run } = context
  const xor = values.reduce((sum, value) => sum ^ value, 0n)
  const value = { author, epoch, index: 0, rosterHash, run, xor, root: claimRoot(context, values), leaves: '44'.repeat(32) as BlockId }
  const claim = signItem({ kind: 'claim', value }, meshId, accused.sign) as SignedClaim
  const path = merklePath(context, values, 1)
  const proof = signItem({ kind: 'proof', value: { author: accuser.peer, claim, chunk: 1, value: values[1]!, path } }, meshId, accuser.sign)
  return JSON.stringify({ schema: 'sgsd.proof-file/1', genesis: hex(genesis), proof: hex(proof.bytes) })
}

const check = async (input: string, ...flags: string[]): Promise<Ran> =>
  runCommand(['proof', 'check', '-', ...flags], { input, edges: { daemon: edges.daemon } })

describe('sgsd proof check', () => {
  test('exits 0 where fraud is proved, and says both values', async () => {
    const ran = await check(await proofText(5n))
    expect(ran.code).toBe(0)
    expect(ran.out).toMatch(/chunk +1 of epoch 0/)
    expect(ran.out).toMatch(/verdict +fraud proved/)
  })

  test('exits 7 where the accusation is false, and where the file proves nothing', async () => {
    const innocent = await check(await proofText(0n))
    expect([innocent.code, innocent.out]).toEqual([7, expect.stringMatching(/a false accusation/)])
    const text = await proofText(5n)
    const torn = await check(text.replace(/.{4}"}$/, '0000"}'), '--json')
    expect([torn.code, (JSON.parse(torn.out) as ProofCheck).verdict]).toEqual([7, 'invalid'])
    const { proof } = JSON.parse((await check(text, '--json')).out) as ProofCheck
    expect(BigInt(proof!.claimed) ^ BigInt(proof!.computed!)).toBe(5n)
  })

  test.for(['', 'not json', '{"schema":"sgsd.proof-file/1"}'])('exits 2 for what is no proof file: %s', async (input) => {
    const ran = await check(input)
    expect([ran.code, ran.out, ran.err]).toEqual([2, '', expect.stringMatching(/no proof file/)])
  })
})

describe('what sgsd peer show says of trust', () => {
  const proof: ProofDocument = {
    id: 'ab'.repeat(32),
    accuser: 'peer-a',
    accused: 'peer-b',
    epoch: '0x0000000000000003',
    chunk: 17,
    absoluteChunk: '0x0000000000000311',
    claimed: '0x00000000000000aa',
    computed: '0x00000000000000bb',
    verdict: 'upheld',
  }
  const trust: PeerTrustDocument = {
    schema: 'sgsd.peer-trust/1',
    peerId: 'peer-b',
    excluded: null,
    windows: [],
    offences: 0,
    proofs: [],
    equivocations: [],
    probation: true,
    goodEpochs: 3,
    audited: 192,
    failed: 0,
    samplesPerEpoch: 192,
    detection: [{ fraction: 0.01, here: 0.855, perEpoch: 0.9999999 }],
    weight: null,
    receipts: [],
  }
  const style = styleOf(0)
  const text = (document: PeerTrustDocument): string => trustDetails(document, new Map([['peer-a', 'atlas']]), style).join('\n')

  test('of one that is new', () => {
    expect(text(trust)).toMatch(/in probation: 3 of 10 good epochs/)
    expect(text(trust)).toMatch(/85\.5 % of one that forges 1 %/)
    expect(text(trust)).toMatch(/> 99\.9 % at 1 %/)
  })

  test('of one that is out: why, for how long, by whose proof, and what to type', () => {
    const window = { cause: 'forged', from: '0x0000000000000003', until: '0x000000000000000b', evidence: proof.id } as const
    const shown = text({ ...trust, excluded: window, windows: [window], offences: 1, proofs: [proof], failed: 1 })
    expect(shown).toMatch(/excluded for epochs 3 to 11: it claimed a wrong value/)
    expect(shown).toMatch(/proof +abababababab by atlas, upheld: chunk 17 of epoch 3 \(chunk 785 of the mesh\)/)
    expect(shown).toContain('claimed  0x00000000000000aa')
    expect(shown).toContain('computed 0x00000000000000bb')
    expect(shown).toContain('sgsd proof export abababababab > proof.json && sgsd proof check proof.json')
  })

  test('of all proofs, one a line', () => {
    expect(proofTable([proof], new Map([['peer-b', 'boreas']]))).toEqual(['abababababab  epoch 3 chunk 17  peer-a against boreas  upheld'])
  })
})
