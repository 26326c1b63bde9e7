import { type Genesis, isEpochSize, type MeshId } from '@sgsd/consensus'
import { type Body, encode, parse } from './body.ts'
import { sha256Hex } from './digest.ts'
import { type Field, hex, oneOf, Refusal, text, tuple, u64 } from './fields.ts'
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

const body: Body<Genesis> = {
  limits: { bytes: MAX_GENESIS_BYTES, values: 10 },
  field: tuple<Genesis>({
    version: oneOf(1),
    name: text(NAME_PATTERN),
    colourSeed: u64,
    colourKernel: oneOf('spi64'),
    epochColours,
    latticeKernel: hex(32),
    foldId: oneOf('mean/1', 'trimmed/1', 'median/1', 'evidence/1'),
    admission: oneOf('open', 'key'),
    nonce: hex(16),
  }),
}

/** The founding document's bytes. docs/protocol.md §3.1 */
export function encodeGenesis(genesis: Genesis): Uint8Array {
  return encode(body, genesis)
}

export function parseGenesis(bytes: Uint8Array): Verdict<Genesis> {
  return parse(body, bytes)
}

/** SHA-256 of the genesis bytes. */
export function meshIdOf(bytes: Uint8Array): MeshId {
  return sha256Hex(bytes) as MeshId
}
