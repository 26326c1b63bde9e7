/** Gossip topics of a mesh, docs/protocol.md. */
export type Topic = 'roster' | 'claims' | 'heads' | 'proofs'

/** Stream protocols. */
export const SYNC_PROTOCOL = '/sgs/sync/1'
export const BLOCK_PROTOCOL = '/sgs/block/1'
export const GENESIS_PROTOCOL = '/sgs/genesis/1'
export const PROBE_PROTOCOL = '/sgs/probe/1'
