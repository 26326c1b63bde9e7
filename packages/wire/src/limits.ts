/** Bytes of a gossip message: a claim is under 400, a record with 16 addresses under 5,200. docs/protocol.md §4.1 */
export const MAX_GOSSIP_BYTES = 6_144

/** Bytes of a signed item: every item fits a gossip message. */
export const MAX_ITEM_BYTES: number = MAX_GOSSIP_BYTES

/** Bytes of a genesis document. */
export const MAX_GENESIS_BYTES = 1_024

/** Bytes of a layer's manifest: 214 blocks of 50 bytes, 64 parents, and as much again. */
export const MAX_MANIFEST_BYTES = 32_768

/** Uncompressed bytes of a block, 64 MiB. */
export const MAX_BLOCK_BYTES = 67_108_864

/** Bytes of a message on `/sgs/block/1`, request or header. */
export const MAX_BLOCK_MESSAGE_BYTES = 256

/** Bytes of a frame on `/sgs/sync/1`, 4 MiB. docs/protocol.md §10.2 */
export const MAX_SYNC_FRAME_BYTES = 4_194_304

/** Ids in a sync frame: 2 MiB of them. */
export const MAX_SYNC_FRAME_IDS = 65_536

/** Items in a sync frame; their bytes are bounded by the frame. */
export const MAX_SYNC_FRAME_ITEMS = 8_192

/** Ids, and items, that one side sends in one exchange: more than a full state holds. */
export const MAX_SYNC_IDS = 131_072

/** Frames that one side sends in one exchange. */
export const MAX_SYNC_FRAMES = 512

/** Listen addresses in a record, and characters in one. */
export const MAX_ADDRS = 16
export const MAX_ADDR_CHARS = 256

/** Execution providers in a record. */
export const MAX_PROVIDERS = 16

/** Parents of a layer. */
export const MAX_PARENTS = 64

/** Spans and names in a layer's lineage, and bytes of it: 4,096 spans of at most 65 bytes, 1,024 names of 203. */
export const MAX_LINEAGE_SPANS = 4_096
export const MAX_LINEAGE_TEXTS = 1_024
export const MAX_LINEAGE_BYTES = 524_288

/** Bytes of a fraud proof's envelope, 1 KiB: a claim's payload and signature (under 260), a path of 14 hashes (448), and what is around them. */
export const MAX_PROOF_BYTES = 1_024

/** Hashes of a Merkle path: those of the largest claim, 2^14 chunks. */
export const MAX_PATH_HASHES = 14

/** Characters of the reason of a roster operation. */
export const MAX_REASON_CHARS = 200

/** Bytes of a message by which a node is let in: a genesis, a mesh key and what is around them. docs/protocol.md §11.3 */
export const MAX_ADMISSION_BYTES = 2_048
