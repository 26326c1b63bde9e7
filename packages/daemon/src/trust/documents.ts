import type { ExclusionCause, ProofVerdict } from '@sgsd/consensus'

/** What the control API says of trust; docs/trust.md. Epochs and values are `0x` and 16 digits. */

/** Part of GET /v1/status. */
export interface TrustStatus {
  /** Chunks computed here since the start: own ones, and samples of what others claimed. */
  readonly mined: number
  readonly audited: number
  /** audited / mined; null before anything was mined. */
  readonly cost: number | null
  /** Why this node mines no more: its own engine was seen to compute wrong; '' while all is well. */
  readonly fault: string
  /** Closed epochs that lost claims to an exclusion and are being covered anew. */
  readonly repairing: readonly string[]
  /** Live members whose newest beat names another roster; it heals with the next exchange. */
  readonly otherViews: readonly string[]
  readonly excluded: readonly (WindowDocument & { readonly peerId: string; readonly name: string })[]
  /** Members that have not yet contributed to ten closed epochs in a row. */
  readonly probation: readonly string[]
}

/** Epochs for which a member is out, both included; no end: until it is readmitted. */
export interface WindowDocument {
  readonly cause: ExclusionCause
  readonly from: string
  readonly until: string | null
  /** Id of the proof, equivocation or operation. */
  readonly evidence: string
}

/** One chunk of one claim that is said to be wrong. */
export interface ProofDocument {
  readonly id: string
  readonly accuser: string
  readonly accused: string
  readonly epoch: string
  /** Counted in the epoch, and from the first chunk of the mesh. */
  readonly chunk: number
  readonly absoluteChunk: string
  readonly claimed: string
  /** What this node got for the chunk, or null before. */
  readonly computed: string | null
  readonly verdict: ProofVerdict | 'unchecked'
}

/** GET /v1/proofs */
export interface ProofsDocument {
  readonly schema: 'sgsd.proofs/1'
  readonly proofs: readonly ProofDocument[]
}

/** GET /v1/proofs/:id, a file that anybody can check without a mesh: `sgsd proof check <file>`. Bytes are hex. */
export interface ProofFile {
  readonly schema: 'sgsd.proof-file/1'
  /** The founding document: its SHA-256 is the mesh id, and it says what is computed. No secret. */
  readonly genesis: string
  /** The proof as it was signed. */
  readonly proof: string
}

/** What checking a proof file showed. */
export interface ProofCheck {
  readonly schema: 'sgsd.proof-check/1'
  /** `fraud`: the claim is wrong. `false`: the accusation is. `invalid`: a signature, the path or the form is bad, so it says nothing. */
  readonly verdict: 'fraud' | 'false' | 'invalid'
  /** What is invalid, or ''. */
  readonly why: string
  readonly meshId: string
  readonly proof: Omit<ProofDocument, 'verdict'> | null
}

/** GET /v1/trust?peer=<peer id> */
export interface PeerTrustDocument {
  readonly schema: 'sgsd.peer-trust/1'
  readonly peerId: string
  /** The window that it is out in now, or null. */
  readonly excluded: WindowDocument | null
  readonly windows: readonly WindowDocument[]
  readonly offences: number
  /** Proofs against it, and its accusations that were false. */
  readonly proofs: readonly ProofDocument[]
  /** Ids of evidence that it signed two items where one may be. */
  readonly equivocations: readonly string[]
  readonly probation: boolean
  /** Closed epochs to which it contributed, since its last offence; counted up to ten. */
  readonly goodEpochs: number
  /** Chunks of it recomputed by this node since the start, and how many of these audits found a wrong value. */
  readonly audited: number
  readonly failed: number
  /** Chunks of it that its verifiers together recompute in an epoch. */
  readonly samplesPerEpoch: number
  /** How likely these samples show a forger of a fraction of its chunks. */
  readonly detection: readonly { readonly fraction: number; readonly here: number; readonly perEpoch: number }[]
  /** Of its head in the fold: 1 is the median head. Null without a head there, and where counts are summed: sums have no weights. */
  readonly weight: number | null
  readonly receipts: readonly { readonly scorer: string; readonly score: number; readonly lines: number; readonly epoch: string }[]
}
