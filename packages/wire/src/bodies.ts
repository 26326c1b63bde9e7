import {
  type Beat,
  type Claim,
  type Head,
  type Item,
  type ItemKind,
  MAX_CLAIM_CHUNKS,
  MAX_CLAIMS_PER_EPOCH,
  MAX_EPOCH_CHUNKS,
  MAX_MEMBERS,
  MAX_RADICAL,
  type MemberRecord,
  type PeerName,
  type Receipt,
  type RivalKind,
  type RosterOp,
  type Seal,
  type Vote,
} from '@sgsd/consensus'
import type { Body } from './body.ts'
import { binary, type Field, flag, hex, list, oneOf, peerName, real, text, tuple, u64, uint } from './fields.ts'
import { NAME_PATTERN } from './genesis.ts'
import { MAX_ADDR_CHARS, MAX_ADDRS, MAX_ITEM_BYTES, MAX_PATH_HASHES, MAX_PROOF_BYTES, MAX_PROVIDERS, MAX_REASON_CHARS } from './limits.ts'

/** Semantic versions and the like. */
const version = text(/^[0-9A-Za-z.+-]{1,32}$/)
/** Engines and execution providers: `wasm`, `onnx:webgpu`. */
const ENGINE = /^[a-z0-9:._+-]{0,32}$/
const address = text(new RegExp(`^/[!-~]{0,${MAX_ADDR_CHARS - 1}}$`))
const u32 = uint(0xffff_ffff)
/** For people. */
const reason = text(new RegExp(`^[ -~]{0,${MAX_REASON_CHARS}}$`))
const HASH_BYTES = 32

/** docs/protocol.md §4.3 */
const record: Field<MemberRecord> = tuple<MemberRecord>({
  author: peerName,
  seq: u64,
  software: version,
  hostName: text(NAME_PATTERN),
  cores: uint(0xffff),
  memoryBytes: u64,
  colourRate: u64,
  rowRate: u64,
  colourEngine: text(ENGINE),
  providers: list(text(ENGINE), MAX_PROVIDERS),
  addrs: list(address, MAX_ADDRS),
  joinedEpoch: u64,
  left: flag,
})

/** docs/protocol.md §4.4 */
const head: Field<Head> = tuple<Head>({
  author: peerName,
  seq: u64,
  layer: hex(32),
  radicals: list(uint(MAX_RADICAL, 1), MAX_RADICAL, (radical) => radical),
})

/** docs/protocol.md §4.5 */
const claim: Field<Claim> = tuple<Claim>({
  author: peerName,
  epoch: u64,
  index: uint(MAX_CLAIMS_PER_EPOCH - 1),
  rosterHash: hex(32),
  run: tuple({ start: uint(MAX_EPOCH_CHUNKS - 1), count: uint(MAX_CLAIM_CHUNKS, 1) }),
  xor: u64,
  root: hex(32),
  leaves: hex(32),
})

/** docs/protocol.md §4.6 */
const seal: Field<Seal> = tuple<Seal>({ author: peerName, epoch: u64, revision: u32, xor: u64, nonce: hex(32), commit: hex(32) })

/** An item inside another one: what its envelope says beyond kind and mesh. docs/protocol.md §4.8 */
export interface Enclosed {
  readonly payload: Uint8Array
  readonly signature: Uint8Array
}

/** A fraud proof as it is sent. */
export interface ProofBody {
  readonly author: PeerName
  readonly claim: Enclosed
  readonly chunk: number
  readonly value: bigint
  /** Hashes laid end to end. */
  readonly path: Uint8Array
}

/** A piece of evidence as it is sent. */
export interface EquivocationBody {
  readonly author: PeerName
  readonly kind: RivalKind
  readonly first: Enclosed
  readonly second: Enclosed
}

export const SIGNATURE_BYTES = 64
const enclosed: Field<Enclosed> = tuple<Enclosed>({ payload: binary(MAX_ITEM_BYTES), signature: binary(SIGNATURE_BYTES, SIGNATURE_BYTES) })

/** docs/protocol.md §4.8 */
const proof: Field<ProofBody> = tuple<ProofBody>({
  author: peerName,
  claim: enclosed,
  chunk: uint(MAX_EPOCH_CHUNKS - 1),
  value: u64,
  path: binary(MAX_PATH_HASHES * HASH_BYTES),
})

/** docs/protocol.md §4.9 */
const equivocation: Field<EquivocationBody> = tuple<EquivocationBody>({
  author: peerName,
  kind: oneOf('record', 'head', 'claim'),
  first: enclosed,
  second: enclosed,
})

/** docs/protocol.md §4.10 */
const op: Field<RosterOp> = tuple<RosterOp>({
  author: peerName,
  subject: peerName,
  seq: u64,
  action: oneOf('revoke', 'readmit'),
  epoch: u64,
  headSeq: u64,
  recordSeq: u64,
  reason,
})

/** docs/protocol.md §4.11 */
const receipt: Field<Receipt> = tuple<Receipt>({ author: peerName, subject: peerName, layer: hex(32), score: real(1), items: u32, epoch: u64 })

/** docs/protocol.md §4.12 */
const vote: Field<Vote> = tuple<Vote>({
  author: peerName,
  candidate: peerName,
  seq: u64,
  ok: flag,
  basis: uint(MAX_MEMBERS, 1),
  rate: u64,
  nonce: hex(32),
  reason,
})

/** docs/protocol.md §4.7 */
const beat: Field<Beat> = tuple<Beat>({
  author: peerName,
  seq: u64,
  rosterHash: hex(32),
  consensus: hex(32, true),
  digest: hex(32, true),
  epoch: u64,
  chunksDone: uint(MAX_EPOCH_CHUNKS),
  chunksCovered: uint(MAX_EPOCH_CHUNKS),
  rateNow: u64,
  layers: u32,
})

/** A record has 13 fields, 16 addresses and 16 providers; a head 214 radicals. */
const limits = { bytes: MAX_ITEM_BYTES, values: 256 }

/** Kinds that enclose signed items; theirs are opened in a second step. */
export type EnclosingKind = 'proof' | 'equivocation'

/** The body of every kind that encloses none. */
export const ITEM_BODIES: { readonly [K in Exclude<ItemKind, EnclosingKind>]: Body<Extract<Item, { kind: K }>['value']> } = {
  record: { field: record, limits },
  head: { field: head, limits },
  claim: { field: claim, limits },
  seal: { field: seal, limits },
  op: { field: op, limits },
  receipt: { field: receipt, limits },
  vote: { field: vote, limits },
}

export const PROOF_BODY: Body<ProofBody> = { field: proof, limits: { bytes: MAX_PROOF_BYTES, values: 8 } }
export const EQUIVOCATION_BODY: Body<EquivocationBody> = { field: equivocation, limits: { bytes: MAX_ITEM_BYTES, values: 9 } }

export const BEAT_BODY: Body<Beat> = { field: beat, limits }
