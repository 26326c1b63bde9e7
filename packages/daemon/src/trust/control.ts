import {
  detection,
  exclusionAt,
  type ExclusionWindow,
  foldWeights,
  isInProbation,
  type MeshState,
  type Millis,
  otherRosterViews,
  type PeerName,
  ruleOf,
  samplesFor,
  type Signed,
} from '@sgsd/consensus'
import { DaemonError } from '../daemon-error.ts'
import type { DaemonParts } from '../parts.ts'
import { hex64 } from '../status.ts'
import type { PeerTrustDocument, ProofDocument, ProofFile, ProofsDocument, TrustStatus, WindowDocument } from './documents.ts'
import { proofDocument } from './proof-document.ts'
import { proofFile } from './proof-file.ts'

/** Fractions of forged chunks for which detection is shown. */
const FRACTIONS: readonly number[] = [0.01, 0.05, 0.1]
/** Hex digits of an item id, and of the shortest beginning of one that is taken. */
const MIN_ID_DIGITS = 6

/** What the control API can ask about trust. */
export interface TrustTarget {
  peerTrust(peer: string): PeerTrustDocument
  proofs(): ProofsDocument
  /** @param id - a proof's id or the beginning of one @throws DaemonError PROOF_UNKNOWN | PROOF_AMBIGUOUS */
  proofFile(id: string): ProofFile
}

type TrustParts = Pick<DaemonParts, 'core' | 'credentials' | 'judge'>

export function trustTarget(parts: TrustParts): TrustTarget {
  const { core, credentials } = parts
  const all = (): readonly Signed<'proof'>[] =>
    [...core.state.proofs.values()].sort((a, b) => Number(b.value.claim.value.epoch - a.value.claim.value.epoch) || (a.id < b.id ? -1 : 1))
  return {
    peerTrust: (peer) => peerTrust(parts, peer as PeerName, all()),
    proofs: () => ({ schema: 'sgsd.proofs/1', proofs: all().map((proof) => documentOf(parts, proof)) }),
    proofFile(id) {
      const found = id.length < MIN_ID_DIGITS ? [] : all().filter((proof) => proof.id.startsWith(id))
      const [only, other] = found
      if (only === undefined) throw new DaemonError('PROOF_UNKNOWN', `no proof here begins with ${id}`, 'sgsd proof ls')
      if (other !== undefined) throw new DaemonError('PROOF_AMBIGUOUS', `${found.length} proofs begin with ${id}`, 'sgsd proof ls')
      return proofFile(credentials.genesisBytes, only)
    },
  }
}

/** The part of a status that is about trust. Pure. */
export function trustStatus(
  state: MeshState,
  now: Millis,
  { mined, audited, fault }: { readonly mined: number; readonly audited: number; readonly fault: string | undefined },
): TrustStatus {
  const nameOf = (peer: PeerName): string => state.roster.get(peer)?.value.hostName ?? peer.slice(-6)
  const members = [...state.roster.keys()].sort()
  return {
    mined,
    audited,
    cost: mined === 0 ? null : audited / mined,
    fault: fault ?? '',
    repairing: [...state.repairing].sort((a, b) => Number(a - b)).map(hex64),
    otherViews: otherRosterViews(state, now),
    excluded: [...state.exclusions.keys()].sort().flatMap((peer) => {
      const window = exclusionAt(state.exclusions, peer, state.epoch)
      return window === undefined ? [] : [{ peerId: peer, name: nameOf(peer), ...windowDocument(window) }]
    }),
    probation: members.filter((peer) => isInProbation(state, peer)),
  }
}

function peerTrust(parts: TrustParts, peer: PeerName, proofs: readonly Signed<'proof'>[]): PeerTrustDocument {
  const { state } = parts.core
  if (!state.roster.has(peer)) throw new DaemonError('BAD_REQUEST', `${peer} is no member`)
  const exclusion = state.exclusions.get(peer)
  const window = exclusionAt(state.exclusions, peer, state.epoch)
  const { chunks, failed } = state.audited.get(peer) ?? { chunks: 0, failed: 0 }
  const samplesPerEpoch = samplesFor(state, peer)
  const head = state.heads.get(peer)?.value.layer
  return {
    schema: 'sgsd.peer-trust/1',
    peerId: peer,
    excluded: window === undefined ? null : windowDocument(window),
    windows: (exclusion?.windows ?? []).map(windowDocument),
    offences: exclusion?.offences ?? 0,
    proofs: proofs
      .filter((proof) => proof.value.claim.value.author === peer || (proof.value.author === peer && parts.judge.verdict(proof) === 'false'))
      .map((proof) => documentOf(parts, proof)),
    equivocations: [...state.equivocations.values()].filter(({ value }) => value.first.value.author === peer).map(({ id }) => id),
    probation: isInProbation(state, peer),
    goodEpochs: state.goodEpochs.get(peer) ?? 0,
    audited: chunks,
    failed,
    samplesPerEpoch,
    detection: FRACTIONS.map((fraction) => ({ fraction, here: detection(chunks, fraction), perEpoch: detection(samplesPerEpoch, fraction) })),
    weight: ruleOf(state.genesis.foldId) === 'evidence' ? null : (foldWeights(state).get(peer) ?? null),
    receipts: [...state.receipts.values()]
      .filter(({ value }) => value.subject === peer && value.layer === head)
      .map(({ value }) => ({ scorer: value.author, score: value.score, lines: value.items, epoch: hex64(value.epoch) })),
  }
}

function documentOf({ core, judge }: TrustParts, proof: Signed<'proof'>): ProofDocument {
  return { ...proofDocument(core.state.genesis, proof, judge.computed(proof)), verdict: judge.verdict(proof) }
}

function windowDocument({ cause, from, until, evidence }: ExclusionWindow): WindowDocument {
  return { cause, from: hex64(from), until: until === undefined ? null : hex64(until), evidence }
}
