import {
  assignRadicals,
  checkMerklePath,
  claimRoot,
  consensusId,
  fold,
  type Genesis,
  foldBytes,
  initialState,
  merklePath,
  partition,
  rosterHash,
  type Signed,
  stateDigest,
  step,
  type Millis,
} from '@sgsd/consensus'
import { createHash } from 'node:crypto'
import { ITEM_BODIES } from '../src/bodies.ts'
import { encode } from '../src/body.ts'
import { encodeBlockHeader, encodeBlockRequest } from '../src/block-messages.ts'
import { blockIdOf, encodeEvidenceBlock, encodeLeaves, encodeRowBlock, encodeStateBlock } from '../src/blocks.ts'
import { signBeat, signedBytes, signItem } from '../src/envelope.ts'
import { encodeGenesis, meshIdOf } from '../src/genesis.ts'
import { encodeInviteAnswer } from '../src/admission-messages.ts'
import { formatInvite, formatOneTimeInvite, inviteId } from '../src/invite.ts'
import { type Probe, type ProbeAnswer, probeId, signProbe, signProbeAnswer } from '../src/probe-messages.ts'
import { encodeLineage } from '../src/lineage.ts'
import { encodeManifest, layerIdOf } from '../src/manifest.ts'
import {
  ALICE,
  BEAT,
  BOB,
  CLAIM,
  COUNTS,
  equivocationOf,
  FORGED,
  GENESIS,
  HEAD,
  idOf,
  LINEAGE,
  MANIFEST,
  MESH_ID,
  OP,
  proofOf,
  RECEIPT,
  RECORD,
  ROWS,
  SEAL,
  VOTE,
} from './member.ts'
import { encodeSyncHello, encodeSyncInventory, encodeSyncItems, encodeSyncSame, encodeSyncWant } from '../src/sync-messages.ts'

/** Anything that JSON can hold; 64-bit numbers as `0x` strings, bytes as hex digits. */
export type Json = string | number | boolean | readonly Json[] | { readonly [key: string]: Json }

/** Rows of radicals 0 … 30. */
const SHARD_ROWS = [0, 56, 15, 10, 33, 43, 11, 21, 32, 587, 39, 13, 30, 25, 25, 64, 22, 13, 209, 92, 24, 10, 25, 12, 30, 15, 26, 63, 24, 39, 975]

const LEAVES = FORGED

const VOTED: Genesis = { ...GENESIS, version: 2, admission: 'vote', founder: ALICE.peer }
const PROBE: Probe = { mesh: MESH_ID, prober: BOB.peer, candidate: ALICE.peer, nonce: idOf('nonce'), first: (1n << 42n) + 5n, chunks: 3 }
const PROBE_ANSWER: ProbeAnswer = { candidate: ALICE.peer, probe: probeId(PROBE), status: 'done', values: LEAVES }

/**
 * The golden vectors of docs/protocol.md, computed. `vectors.json` holds what they were when the protocol was fixed; to write it anew after a deliberate change:
 * `node --conditions=sgsd-source -e "import('./packages/wire/testing/vectors.ts').then(v => process.stdout.write(v.vectorsText()))" > packages/wire/src/vectors.json`
 */
export function buildVectors(): Json {
  const record = signItem({ kind: 'record', value: RECORD }, MESH_ID, ALICE.sign)
  const head = signItem({ kind: 'head', value: HEAD }, MESH_ID, ALICE.sign)
  const claim = signItem({ kind: 'claim', value: CLAIM }, MESH_ID, ALICE.sign)
  const seal = signItem({ kind: 'seal', value: SEAL }, MESH_ID, ALICE.sign)
  const proof = signItem({ kind: 'proof', value: proofOf() }, MESH_ID, BOB.sign)
  const rivals = equivocationOf({ kind: 'head', value: HEAD }, { kind: 'head', value: { ...HEAD, layer: idOf('other layer') } })
  const equivocation = signItem({ kind: 'equivocation', value: rivals }, MESH_ID, BOB.sign)
  const op = signItem({ kind: 'op', value: OP }, MESH_ID, BOB.sign)
  const vote = signItem({ kind: 'vote', value: VOTE }, MESH_ID, BOB.sign)
  const receipt = signItem({ kind: 'receipt', value: RECEIPT }, MESH_ID, BOB.sign)
  const address = `/ip4/192.168.1.12/tcp/42069/p2p/${ALICE.peer}`
  const manifest = encodeManifest(MANIFEST)
  return {
    about: 'Golden bytes of docs/protocol.md. 64-bit numbers are 0x strings, bytes are hex digits.',
    keys: [keyOf(1, ALICE.peer), keyOf(2, BOB.peer)],
    genesis: { value: json(GENESIS), bytes: hex(encodeGenesis(GENESIS)), meshId: MESH_ID },
    items: [record, head, claim, seal, proof, equivocation, op, receipt, vote].map(({ kind, value, id, bytes }) => ({
      kind,
      value: json(value),
      id,
      envelope: hex(bytes),
    })),
    beat: { value: json(BEAT), envelope: hex(signBeat(BEAT, MESH_ID, ALICE.sign)) },
    signed: { what: 'the bytes that the signature of the seal covers', bytes: hex(signedBytes('seal', MESH_ID, encode(ITEM_BODIES.seal, SEAL))) },
    manifest: { value: json(MANIFEST), bytes: hex(manifest), layerId: layerIdOf(manifest) },
    blocks: {
      rows: block(encodeRowBlock(ROWS)),
      evidence: block(encodeEvidenceBlock(COUNTS)),
      state: block(encodeStateBlock(Float32Array.of(0, 0.5, 1))),
      leaves: block(encodeLeaves(LEAVES)),
      lineage: block(encodeLineage(LINEAGE)),
    },
    sync: {
      hello: hex(encodeSyncHello({ digest: Buffer.from(idOf('digest'), 'hex') })),
      same: hex(encodeSyncSame()),
      inventory: [...encodeSyncInventory([head.id, seal.id])].map(hex),
      items: [...encodeSyncItems([seal.bytes])].map(hex),
      want: [...encodeSyncWant([head.id])].map(hex),
    },
    block: {
      request: hex(encodeBlockRequest({ id: CLAIM.leaves, offset: 65_536 })),
      header: hex(encodeBlockHeader({ size: 131_072 })),
      refusal: hex(encodeBlockHeader({ error: 'not-found' })),
    },
    invite: { address, secret: '09'.repeat(32), text: formatInvite(address, new Uint8Array(32).fill(9)) },
    oneTimeInvite: {
      address,
      secret: '09'.repeat(32),
      text: formatOneTimeInvite(address, new Uint8Array(32).fill(9)),
      id: hex(inviteId(new Uint8Array(32).fill(9))),
      granted: hex(encodeInviteAnswer({ granted: true, genesis: encodeGenesis(GENESIS), meshKey: new Uint8Array(32).fill(7) })),
      expired: hex(encodeInviteAnswer({ granted: false, why: 'expired', agoMs: 10_800_000 })),
    },
    votedGenesis: { bytes: hex(encodeGenesis(VOTED)), meshId: meshIdOf(encodeGenesis(VOTED)) },
    probe: { value: json(PROBE), bytes: hex(signProbe(PROBE, BOB.sign)), answer: hex(signProbeAnswer(PROBE_ANSWER, ALICE.sign)) },
    merkle: merkle(),
    partition: {
      epoch: '0x0000000000000005',
      rates: { [ALICE.peer]: '0x00000000000003e8', [BOB.peer]: '0x0000000000000bb8' },
      chunks: 1_000,
      ranges: [
        ...partition(
          MESH_ID,
          5n,
          [
            { peer: ALICE.peer, rate: 1_000n },
            { peer: BOB.peer, rate: 3_000n },
          ],
          1_000,
        ),
      ].map(([peer, { start, count }]) => ({ peer, start, count })),
    },
    shards: {
      speeds: { [ALICE.peer]: '0x00000000000003e8', [BOB.peer]: '0x00000000000007d0' },
      rows: SHARD_ROWS,
      radicals: Object.fromEntries(
        assignRadicals(
          [
            { peer: ALICE.peer, speed: 1_000n },
            { peer: BOB.peer, speed: 2_000n },
          ],
          SHARD_ROWS,
        ),
      ),
    },
    state: state([record, head, claim, seal] as never),
    fold: meanFold(),
    evidenceFold: evidenceFold(),
  }
}

/** The text of `vectors.json`. */
export function vectorsText(): string {
  return `${JSON.stringify(buildVectors(), null, 2)}\n`
}

function merkle(): Json {
  const context = { meshId: MESH_ID, epoch: 5n, rosterHash: CLAIM.rosterHash, author: ALICE.peer, run: { start: 128, count: 3 } }
  const path = merklePath(context, LEAVES, 0)
  const root = claimRoot(context, LEAVES)
  if (!checkMerklePath(context, 0, 1n, path, root)) throw new Error('a path that leads nowhere')
  return {
    epoch: '0x0000000000000005',
    rosterHash: CLAIM.rosterHash,
    author: ALICE.peer,
    start: 128,
    values: [...LEAVES].map(json),
    root,
    pathOfFirst: path.map(hex),
  }
}

function state(items: readonly Signed<'record'>[]): Json {
  let now = initialState(GENESIS, MESH_ID, BOB.peer)
  for (const item of items) now = step(now, { type: 'item-received', item, now: 0 as Millis, source: 'disk' }).state
  const head = now.heads.get(ALICE.peer)!
  return {
    what: 'a node that holds the items above',
    rosterHash: rosterHash(now),
    stateDigest: hex(stateDigest(now)),
    consensusIdOfNoHeads: consensusId('mean/1', []),
    consensusIdOfTheHead: consensusId('mean/1', [head]),
  }
}

/** Two members over a lattice of 10 rows. */
function meanFold(): Json {
  const empty = { rows: 10, ptr: new Uint32Array(11), cols: new Uint32Array(0), vals: new Float32Array(0) }
  const other = { ...ROWS, tauVals: Float32Array.of(0.25, 0.75), rhoVals: Float32Array.of(0.5) }
  const members = [
    { peer: ALICE.peer, seq: 2n, layer: HEAD.layer, weight: 1, blocks: [ROWS], state: new Float32Array(10).fill(0.25) },
    { peer: BOB.peer, seq: 1n, layer: HEAD.layer, weight: 3, blocks: [other], state: new Float32Array(10).fill(0.75) },
  ]
  const folded = fold('mean/1', { tau: empty, rho: empty }, new Float32Array(10), members)
  const bytes = Buffer.concat([...foldBytes(folded)])
  const digest = createHash('sha256').update(GENESIS.latticeKernel).update('mean/1').update(bytes).digest('hex')
  return {
    what: 'the rows above with weight 1, and the same edges with other weights and weight 3, over an empty lattice of 10 rows',
    tau: [...folded.matrices.tau.vals],
    rho: [...folded.matrices.rho.vals],
    bytes: hex(bytes),
    digest,
  }
}

/** Two members' counts over a lattice of 10 rows. */
function evidenceFold(): Json {
  const empty = { rows: 10, ptr: new Uint32Array(11), cols: new Uint32Array(0), vals: new Float32Array(0) }
  const other = {
    radical: 9,
    rowIds: Uint32Array.of(1, 3, 7),
    ptr: Uint32Array.of(0, 2, 3, 4),
    cols: Uint32Array.of(3, 9, 9, 9),
    counts: Uint32Array.of(512, 256, 2_048, 768),
  }
  const member = { layer: HEAD.layer, weight: 1, state: new Float32Array(10) }
  const members = [
    { ...member, peer: ALICE.peer, seq: 2n, blocks: [COUNTS] },
    { ...member, peer: BOB.peer, seq: 1n, blocks: [other] },
  ]
  const folded = fold('evidence/1', { tau: empty, rho: empty }, new Float32Array(10), members)
  const bytes = Buffer.concat([...foldBytes(folded)])
  return {
    what: 'the counts above, and those of a member with rows 1 (columns 3: 512, 9: 256), 3 (column 9: 2048) and 7 (column 9: 768), over an empty lattice of 10 rows',
    tau: [...folded.matrices.tau.vals],
    rho: [...folded.matrices.rho.vals],
    state: [...folded.state],
    bytes: hex(bytes),
    digest: createHash('sha256').update(GENESIS.latticeKernel).update('evidence/1').update(bytes).digest('hex'),
  }
}

function block(bytes: Uint8Array): Json {
  return { bytes: hex(bytes), id: blockIdOf(bytes) }
}

function keyOf(seed: number, peer: string): Json {
  return { seed: seed.toString(16).padStart(2, '0').repeat(32), peer }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

/** 64-bit numbers as `0x` and 16 digits. */
function json(value: unknown): Json {
  return JSON.parse(
    JSON.stringify(value, (_key, part: unknown) => {
      if (typeof part === 'bigint') return `0x${part.toString(16).padStart(16, '0')}`
      return part instanceof Uint8Array ? hex(part) : part
    }),
  ) as Json
}
