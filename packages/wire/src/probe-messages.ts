import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { type MeshId, type PeerName, PROBE_CHUNKS } from '@sgsd/consensus'
import { type Body, encode, parse } from './body.ts'
import { sha256Hex } from './digest.ts'
import type { Signer, Verifier } from './envelope.ts'
import { binary, hex, oneOf, peerName, tuple, u64, uint } from './fields.ts'
import { MAX_ADMISSION_BYTES } from './limits.ts'
import { accept, reject, type Verdict } from './verdict.ts'

/** A member's question to a candidate: the values of chunks that nobody can have known before. docs/protocol.md §10.5 */
export interface Probe {
  readonly mesh: MeshId
  readonly prober: PeerName
  readonly candidate: PeerName
  /** 32 random bytes, 64 hex digits. */
  readonly nonce: string
  /** First chunk, counted from the beginning of the stream. */
  readonly first: bigint
  /** At most `PROBE_CHUNKS`: nobody has to compute more for a stranger. */
  readonly chunks: number
}

/** `done`: with the values; `busy`: it computes for others, or was asked too often; `member`: it was voted in, and answers no more. */
export type ProbeStatus = 'done' | 'busy' | 'member'

export interface ProbeAnswer {
  readonly candidate: PeerName
  /** SHA-256 of the probe that it answers, 64 hex digits: an answer to another probe is worth nothing. */
  readonly probe: string
  readonly status: ProbeStatus
  /** One u64 per chunk; none where it is not done. */
  readonly values: BigUint64Array
}

interface Sealed {
  readonly payload: Uint8Array
  readonly signature: Uint8Array
}

const VALUE_BYTES = 8
const SIGNATURE_BYTES = 64
const limits = { bytes: MAX_ADMISSION_BYTES, values: 8 }

const sealed: Body<Sealed> = {
  limits,
  field: tuple<Sealed>({ payload: binary(MAX_ADMISSION_BYTES), signature: binary(SIGNATURE_BYTES, SIGNATURE_BYTES) }),
}

const probeBody: Body<Probe> = {
  limits,
  field: tuple<Probe>({
    mesh: hex(32),
    prober: peerName,
    candidate: peerName,
    nonce: hex(32),
    first: u64,
    chunks: uint(PROBE_CHUNKS, 1),
  }),
}

interface AnswerBody {
  readonly candidate: PeerName
  readonly probe: string
  readonly status: ProbeStatus
  readonly values: Uint8Array
}

const answerBody: Body<AnswerBody> = {
  limits,
  field: tuple<AnswerBody>({
    candidate: peerName,
    probe: hex(32),
    status: oneOf('done', 'busy', 'member'),
    values: binary(PROBE_CHUNKS * VALUE_BYTES),
  }),
}

const PROBE_DOMAIN = utf8ToBytes('sgs-probe/1')
const ANSWER_DOMAIN = utf8ToBytes('sgs-probe-answer/1')

/** What names a probe: SHA-256 of its payload. */
export function probeId(probe: Probe): string {
  return sha256Hex(encode(probeBody, probe))
}

export function signProbe(probe: Probe, sign: Signer): Uint8Array {
  return seal(PROBE_DOMAIN, encode(probeBody, probe), sign)
}

/**
 * Reads a probe as its candidate: for this mesh, this node, and from the peer at the other end of the stream. Total.
 * @param expected - what must be in it
 */
export function openProbe(
  bytes: Uint8Array,
  expected: { readonly mesh: MeshId; readonly prober: PeerName; readonly candidate: PeerName },
  verify: Verifier,
): Verdict<Probe> {
  const outer = parse(sealed, bytes)
  if (outer.type !== 'accept') return outer
  const probe = parse(probeBody, outer.value.payload)
  if (probe.type !== 'accept') return probe
  const { mesh, prober, candidate } = probe.value
  if (mesh !== expected.mesh) return reject('a probe of another mesh')
  if (prober !== expected.prober) return reject('a probe in the name of another peer')
  if (candidate !== expected.candidate) return reject('a probe for another candidate')
  if (!verify(prober, concatBytes(PROBE_DOMAIN, outer.value.payload), outer.value.signature))
    return reject('the signature is not the one of its prober')
  return probe
}

export function signProbeAnswer({ candidate, probe, status, values }: ProbeAnswer, sign: Signer): Uint8Array {
  return seal(ANSWER_DOMAIN, encode(answerBody, { candidate, probe, status, values: bytesOf(values) }), sign)
}

/** Reads an answer as its prober: of the candidate, to exactly this probe, with its signature. Total. */
export function openProbeAnswer(bytes: Uint8Array, probe: Probe, verify: Verifier): Verdict<ProbeAnswer> {
  const outer = parse(sealed, bytes)
  if (outer.type !== 'accept') return outer
  const parsed = parse(answerBody, outer.value.payload)
  if (parsed.type !== 'accept') return parsed
  const answer = parsed.value
  if (answer.candidate !== probe.candidate) return reject('an answer in the name of another peer')
  if (answer.probe !== probeId(probe)) return reject('an answer to another probe')
  if (!verify(answer.candidate, concatBytes(ANSWER_DOMAIN, outer.value.payload), outer.value.signature)) {
    return reject('the signature is not the one of the candidate')
  }
  const wanted = answer.status === 'done' ? probe.chunks * VALUE_BYTES : 0
  if (answer.values.length !== wanted) return reject(`${answer.values.length} bytes of values where ${wanted} belong`)
  return accept({ ...answer, values: valuesOf(answer.values) })
}

function seal(domain: Uint8Array, payload: Uint8Array, sign: Signer): Uint8Array {
  return encode(sealed, { payload, signature: sign(concatBytes(domain, payload)) })
}

function bytesOf(values: BigUint64Array): Uint8Array {
  const bytes = new Uint8Array(values.length * VALUE_BYTES)
  const view = new DataView(bytes.buffer)
  for (const [i, value] of values.entries()) view.setBigUint64(i * VALUE_BYTES, value, true)
  return bytes
}

function valuesOf(bytes: Uint8Array): BigUint64Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return BigUint64Array.from({ length: bytes.length / VALUE_BYTES }, (_, i) => view.getBigUint64(i * VALUE_BYTES, true))
}
