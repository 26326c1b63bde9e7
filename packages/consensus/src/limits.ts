/** Time between two beats of a member, milliseconds. docs/protocol.md §6.1 */
export const BEAT_INTERVAL_MS = 5_000

/** A member counts as live for this long after its newest beat: three beats, so that two lost ones do not move ranges. */
export const LIVE_MS: number = 3 * BEAT_INTERVAL_MS

/** A member keeps its radical shard for this long after its newest beat, 1 h: a restart or a night's Wi-Fi moves no rows. */
export const RETIRE_MS = 3_600_000

/** Content that is still missing is asked for again after this long, milliseconds. */
export const REFETCH_INTERVAL_MS = 5_000

/** Requests that one re-ask may make; the next one goes on behind them. */
export const REFETCH_LIMIT = 64

/** Closed epochs whose claims are kept, so that a member who is that far behind can still compute them. docs/protocol.md §7.5 */
export const KEPT_EPOCHS = 2

/** Claims for epochs up to this far ahead are kept for later: members close an epoch at different moments. */
export const AHEAD_EPOCHS = 2

/** Members of a mesh. Of more, the smallest peer ids count: every node drops the same ones. */
export const MAX_MEMBERS = 4_096

/**
 * When the open epochs gain no chunk for this long, milliseconds, everybody takes part in what is left of the current one: a member that says it mines, and
 * whose claims nobody can check, would hold it up for ever. Claims take a second or two; twice the lease of a member that is gone.
 */
export const STALL_MS: number = 2 * LIVE_MS

/** Claims of one member in one epoch; indices run from 0. */
export const MAX_CLAIMS_PER_EPOCH = 2_048

/** A member needs at most this many claims for a whole epoch: `nextWork` hands out at least this share of it. Half of what is allowed, for ranges that shift. */
export const CLAIMS_FOR_WHOLE_EPOCH = 1_024

/** Claims in the whole state, about 64 MiB of memory. Of more, the smallest keys count. */
export const MAX_CLAIMS = 65_536

/** Chunks in a claim: about 50 ms of Merkle hashing, the longest a main thread should be held. */
export const MAX_CLAIM_CHUNKS = 16_384

/** Chunks in an epoch: what `CLAIMS_FOR_WHOLE_EPOCH` claims of the largest size cover, 2^24 (2^44 colours). */
export const MAX_EPOCH_CHUNKS: number = CLAIMS_FOR_WHOLE_EPOCH * MAX_CLAIM_CHUNKS

/** Closed epochs remembered for display. */
export const MAX_CLOSED = 1_024

/** Edges in a row of a layer or of the fold. docs/protocol.md §9.2 */
export const MAX_ROW_EDGES = 64

/** Pairs in a row of counts: the defined characters of the hanzi table. docs/protocol.md §8.7 */
export const MAX_ROW_PAIRS = 22_903

/** Kangxi radicals are 1 … 214. */
export const MAX_RADICAL = 214

/** Largest u64. */
export const U64_MAX = 0xffff_ffff_ffff_ffffn

/** Verifiers of a claimant in an epoch. docs/protocol.md §7.8 */
export const VERIFIERS = 16

/** Chunks of a claimant that its verifiers together recompute in an epoch: of one with at least `PROBATION_EPOCHS` good epochs, and of others. */
export const TRUSTED_SAMPLES = 64
export const PROBATION_SAMPLES = 192

/** Closed epochs without an offence after which a member is trusted. */
export const PROBATION_EPOCHS = 10

/** Epochs after that of the offence for which a member is excluded: the first time, and each time after. docs/protocol.md §7.10 */
export const FIRST_EXCLUSION_EPOCHS = 8
export const NEXT_EXCLUSION_EPOCHS = 64

/** Accusers after which no more proofs of one claim are wanted: one that is later withdrawn then changes nothing. */
export const WANTED_PROOFS = 3

/** Proofs, pieces of evidence, roster operations and receipts in the state, and of one author. Of more, the smallest keys count. docs/protocol.md §5.2 */
export const MAX_EVIDENCE = 16_384
export const MAX_EVIDENCE_OF_AUTHOR = 256

/** Bytes of the two envelopes in a piece of evidence: with what is around them they fit an item. */
export const MAX_RIVAL_BYTES = 5_600

/** Receipts older than this many epochs count no longer and are dropped. docs/protocol.md §7.11 */
export const RECEIPT_EPOCHS = 64

/** Epochs in which an income falls to half. */
export const INCOME_HALF_LIFE_EPOCHS = 8

/** No head weighs more than this many times the median head. */
export const INCOME_CAP = 3

/** Members that score a head. */
export const SCORERS = 5

/** Epochs whose revealed nonces are kept. */
export const KEPT_REVEALS = 4

/** Counted claims that a new one is compared with where they overlap. */
export const MAX_COMPARED = 8
