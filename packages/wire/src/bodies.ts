import {
  type Beat,
  type Claim,
  type Head,
  type Item,
  type ItemKind,
  MAX_CLAIM_CHUNKS,
  MAX_CLAIMS_PER_EPOCH,
  MAX_EPOCH_CHUNKS,
  MAX_RADICAL,
  type MemberRecord,
  type Seal,
} from '@sgsd/consensus'
import type { Body } from './body.ts'
import { type Field, flag, hex, list, peerName, text, tuple, u64, uint } from './fields.ts'
import { NAME_PATTERN } from './genesis.ts'
import { MAX_ADDR_CHARS, MAX_ADDRS, MAX_ITEM_BYTES, MAX_PROVIDERS } from './limits.ts'

/** Semantic versions and the like. */
const version = text(/^[0-9A-Za-z.+-]{1,32}$/)
/** Engines and execution providers: `wasm`, `onnx:webgpu`. */
const ENGINE = /^[a-z0-9:._+-]{0,32}$/
const address = text(new RegExp(`^/[!-~]{0,${MAX_ADDR_CHARS - 1}}$`))
const u32 = uint(0xffff_ffff)

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
const seal: Field<Seal> = tuple<Seal>({ author: peerName, epoch: u64, xor: u64 })

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

/** Every item's body. */
export const ITEM_BODIES: { readonly [K in ItemKind]: Body<Extract<Item, { kind: K }>['value']> } = {
  record: { field: record, limits },
  head: { field: head, limits },
  claim: { field: claim, limits },
  seal: { field: seal, limits },
}

export const BEAT_BODY: Body<Beat> = { field: beat, limits }
