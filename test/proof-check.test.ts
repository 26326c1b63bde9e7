import { chunkValue } from '../packages/color/src/index.ts'
import {
  claimRoot,
  type ClaimContext,
  type Genesis,
  merklePath,
  type BlockId,
  type RosterHash,
  type SignedClaim,
} from '../packages/consensus/src/index.ts'
import type { ProofCheck } from '../packages/daemon/src/control/api.ts'
import { createIdentity, type Identity, openIdentity } from '../packages/mesh/src/index.ts'
import { encodeGenesis, meshIdOf, signItem } from '../packages/wire/src/index.ts'
import { describe, expect, test } from 'vitest'
import { edges } from '../packages/cli/src/edges.ts'
import { type Ran, runCommand } from '../packages/cli/src/fixtures/command-run.ts'

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
