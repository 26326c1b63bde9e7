import { createHash, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import {
  type Beat,
  type Claim,
  claimRoot,
  commitTo,
  draftProof,
  type Equivocation,
  type EvidenceBlock,
  type Genesis,
  type Head,
  type Item,
  type LayerManifest,
  type MemberRecord,
  type MeshId,
  nonceOf,
  type PeerName,
  type Proof,
  type Receipt,
  type RosterOp,
  type RowBlock,
  type Seal,
  type SignedClaim,
  type SignedRival,
  type Vote,
} from '@sgsd/consensus'
import { type OpenContext, type Signer, signItem, type Verifier } from '../src/envelope.ts'
import type { Lineage } from '../src/lineage.ts'
import { encodeGenesis, meshIdOf } from '../src/genesis.ts'

/** A member with a key of its own. */
export interface TestMember {
  readonly peer: PeerName
  readonly sign: Signer
}

const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex')
const SPKI = Buffer.from('302a300506032b6570032100', 'hex')
const PEER_PREFIX = Buffer.from('002408011220', 'hex')
const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

/** @param seed - Ed25519 private key, 32 bytes */
export function memberOf(seed: Uint8Array): TestMember {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' })
  const raw = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(SPKI.length)
  return { peer: base58(Buffer.concat([PEER_PREFIX, raw])) as PeerName, sign: (message) => new Uint8Array(sign(null, message, key)) }
}

/** Checks with the public key inside the peer id. */
export const verifySignature: Verifier = (peer, message, signature) => {
  const raw = unbase58(peer).subarray(PEER_PREFIX.length)
  return verify(null, message, createPublicKey({ key: Buffer.concat([SPKI, raw]), format: 'der', type: 'spki' }), signature)
}

export const ALICE: TestMember = memberOf(new Uint8Array(32).fill(1))
export const BOB: TestMember = memberOf(new Uint8Array(32).fill(2))

/** SHA-256 of a text: an id for whatever it stands for. */
export function idOf<T extends string>(text: string): T {
  return createHash('sha256').update(text).digest('hex') as T
}

export const GENESIS: Genesis = {
  version: 1,
  name: 'grove',
  colourSeed: 7_202_985n,
  colourKernel: 'spi64',
  epochColours: 1n << 30n,
  latticeKernel: idOf('hanzi kernel'),
  foldId: 'mean/1',
  admission: 'key',
  nonce: '000102030405060708090a0b0c0d0e0f',
}

export const MESH_ID: MeshId = meshIdOf(encodeGenesis(GENESIS))

export const CONTEXT: OpenContext = { meshId: MESH_ID, verify: verifySignature }

export const RECORD: MemberRecord = {
  author: ALICE.peer,
  seq: 3n,
  software: '0.1.0',
  hostName: 'tower-1',
  cores: 16,
  memoryBytes: 68_719_476_736n,
  colourRate: 9_876_543_210n,
  rowRate: 1_500_000n,
  colourEngine: 'wasm',
  providers: ['wasm', 'onnx:webgpu'],
  addrs: ['/ip4/192.168.1.12/tcp/42069', '/ip6/fd7a::1/tcp/42069'],
  joinedEpoch: 0n,
  left: false,
}

export const HEAD: Head = { author: ALICE.peer, seq: 2n, layer: idOf('layer'), radicals: [9, 85, 214] }

export const CLAIM: Claim = {
  author: ALICE.peer,
  epoch: 5n,
  index: 1,
  rosterHash: idOf('roster'),
  run: { start: 128, count: 256 },
  xor: 0xfedc_ba98_7654_3210n,
  root: idOf('root'),
  leaves: idOf('leaves'),
}

export const SEAL: Seal = {
  author: ALICE.peer,
  epoch: 4n,
  revision: 0,
  xor: 0x0123_4567_89ab_cdefn,
  nonce: nonceOf(MESH_ID, 4n, new Uint8Array(32).fill(5)),
  commit: commitTo(nonceOf(MESH_ID, 5n, new Uint8Array(32).fill(5))),
}

/** Values of a claim by Alice: the second is wrong. */
export const FORGED: BigUint64Array = BigUint64Array.of(1n, 0xffff_ffff_ffff_ffffn, 3n)

/** Bob shows the second chunk of a claim by Alice. */
export function proofOf(values: BigUint64Array = FORGED, changes: Partial<Claim> = {}, index = 1): Proof {
  const claim = { ...CLAIM, run: { start: 128, count: values.length }, ...changes }
  const root = claimRoot({ meshId: MESH_ID, ...claim }, values)
  const signed = signItem({ kind: 'claim', value: { ...claim, root } }, MESH_ID, ALICE.sign) as SignedClaim
  return draftProof({ self: BOB.peer, meshId: MESH_ID }, signed, claim.run.start + index, values)
}

/** Two heads that Alice signed under one seq, as Bob saw them. */
export function equivocationOf(...values: readonly [Item, Item]): Equivocation {
  const [first, second] = values.map((item) => signItem(item, MESH_ID, ALICE.sign) as SignedRival).sort((a, b) => (a.id < b.id ? -1 : 1)) as [
    SignedRival,
    SignedRival,
  ]
  return { author: BOB.peer, first, second }
}

export const OP: RosterOp = {
  author: BOB.peer,
  subject: ALICE.peer,
  seq: 1n,
  action: 'readmit',
  epoch: 6n,
  headSeq: 2n,
  recordSeq: 0n,
  reason: 'restored from a backup, runs well now',
}

export const RECEIPT: Receipt = { author: BOB.peer, subject: ALICE.peer, layer: HEAD.layer, score: 0.40625, items: 500, epoch: 5n }

export const VOTE: Vote = {
  author: BOB.peer,
  candidate: ALICE.peer,
  seq: 0n,
  ok: true,
  basis: 3,
  rate: 1_234_567_890n,
  nonce: idOf('nonce'),
  reason: '',
}

export const BEAT: Beat = {
  author: ALICE.peer,
  seq: 1_795_000_000_000n,
  rosterHash: idOf('roster'),
  consensus: idOf('consensus'),
  digest: '',
  epoch: 5n,
  chunksDone: 384,
  chunksCovered: 1_000,
  rateNow: 1_234_567_890n,
  layers: 7,
}

export const MANIFEST: LayerManifest = {
  version: 1,
  mesh: MESH_ID,
  kernel: GENESIS.latticeKernel,
  parents: [idOf('parent')],
  author: ALICE.peer,
  seq: 2n,
  epoch: 5n,
  params: { profile: 'stable', rule: 'hebb', eta: 0.05, decay: 0 },
  lineage: idOf('lineage'),
  scores: { lines: 100n, mean: 0.125 },
  state: idOf('state'),
  blocks: [
    { radical: 9, rows: 2, nnz: 3, block: idOf('block 9') },
    { radical: 85, rows: 1, nnz: 1, block: idOf('block 85') },
  ],
}

export const ROWS: RowBlock = {
  radical: 85,
  rowIds: Uint32Array.of(3, 7),
  tauPtr: Uint32Array.of(0, 2, 2),
  tauCols: Uint32Array.of(1, 9),
  tauVals: Float32Array.of(0.5, 1),
  rhoPtr: Uint32Array.of(0, 0, 1),
  rhoCols: Uint32Array.of(4),
  rhoVals: Float32Array.of(0.25),
}

export const LINEAGE: Lineage = [
  { text: '千字文', segment: idOf('segment 1'), first: 0, from: 100, to: 164 },
  { text: 'poems/a.txt', segment: idOf('segment 2'), first: 70_000, from: 70_000, to: 70_008 },
  { text: '千字文', segment: idOf('segment 1'), first: 0, from: 164, to: 250 },
]

export const COUNTS: EvidenceBlock = {
  radical: 85,
  rowIds: Uint32Array.of(3, 7),
  ptr: Uint32Array.of(0, 2, 3),
  cols: Uint32Array.of(1, 9, 4),
  counts: Uint32Array.of(256, 1_000, 0xffff_ffff),
}

function base58(bytes: Uint8Array): string {
  let number = BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
  let text = ''
  for (; number > 0n; number /= 58n) text = ALPHABET[Number(number % 58n)] + text
  return '1'.repeat(bytes.findIndex((byte) => byte !== 0)) + text
}

function unbase58(text: string): Buffer {
  let number = 0n
  for (const character of text) number = number * 58n + BigInt(ALPHABET.indexOf(character))
  return Buffer.from(number.toString(16).padStart(76, '0'), 'hex')
}
