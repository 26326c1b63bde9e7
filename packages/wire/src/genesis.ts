import { type Genesis, isEpochSize, type MeshId } from '@sgsd/consensus'
import { type Body, encode, parse } from './body.ts'
import { sha256Hex } from './digest.ts'
import { type Field, hex, oneOf, peerName, Refusal, text, tuple, u64 } from './fields.ts'
import { MAX_GENESIS_BYTES } from './limits.ts'
import type { Verdict } from './verdict.ts'

/** Names of meshes and hosts: safe in a path, a shell and a terminal. */
export const NAME_PATTERN: RegExp = /^[a-z0-9-]{1,32}$/

const epochColours: Field<bigint> = {
  toWire: (value) => u64.toWire(value),
  fromWire: (raw) => {
    const value = u64.fromWire(raw)
    return value instanceof Refusal || isEpochSize(value) ? value : new Refusal('is no multiple of 2^20 in [2^20, 2^44]')
  },
}

const fields = {
  name: text(NAME_PATTERN),
  colourSeed: u64,
  colourKernel: oneOf('spi64'),
  epochColours,
  latticeKernel: hex<string>(32),
  foldId: oneOf('mean/1', 'trimmed/1', 'median/1', 'evidence/1'),
} as const

const body: Body<Genesis> = {
  limits: { bytes: MAX_GENESIS_BYTES, values: 10 },
  field: tuple<Genesis>({ version: oneOf(1), ...fields, admission: oneOf('open', 'key'), nonce: hex(16) }),
}

/** A mesh that votes has a first member. */
const voted: Body<Required<Genesis>> = {
  limits: { bytes: MAX_GENESIS_BYTES, values: 11 },
  field: tuple<Required<Genesis>>({ version: oneOf(2), ...fields, admission: oneOf('vote'), nonce: hex(16), founder: peerName }),
}

/** The founding document's bytes. docs/protocol.md §3.1 */
export function encodeGenesis(genesis: Genesis): Uint8Array {
  return genesis.founder === undefined ? encode(body, genesis) : encode(voted, { ...genesis, founder: genesis.founder })
}

export function parseGenesis(bytes: Uint8Array): Verdict<Genesis> {
  const parsed = parse<Genesis>(voted, bytes)
  return parsed.type === 'accept' ? parsed : parse(body, bytes)
}

/** SHA-256 of the genesis bytes. */
export function meshIdOf(bytes: Uint8Array): MeshId {
  return sha256Hex(bytes) as MeshId
}
