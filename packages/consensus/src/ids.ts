declare const brand: unique symbol

/** Base58btc text of an Ed25519 peer id (`12D3Koo…`). */
export type PeerName = string & { readonly [brand]: 'PeerName' }
/** SHA-256 of the genesis bytes, 64 lower-case hex digits. */
export type MeshId = string & { readonly [brand]: 'MeshId' }
/** SHA-256 of a block's uncompressed canonical bytes, 64 hex digits. */
export type BlockId = string & { readonly [brand]: 'BlockId' }
/** SHA-256 of a layer's manifest bytes; a manifest is itself a block, so a LayerId is a BlockId. */
export type LayerId = BlockId & { readonly [brand]: 'BlockId' }
/** SHA-256 over fold id and sorted (member, seq, layer), 64 hex digits. */
export type ConsensusId = string & { readonly [brand]: 'ConsensusId' }
/** SHA-256 of a signed item's payload bytes, 64 hex digits. */
export type ItemId = string & { readonly [brand]: 'ItemId' }
/** SHA-256 over the newest records in peer-id order, 64 hex digits. */
export type RosterHash = string & { readonly [brand]: 'RosterHash' }
/** Milliseconds on the local monotonic clock. */
export type Millis = number & { readonly [brand]: 'Millis' }
