import type { BlockId, MeshId, PeerName, RosterHash } from '@sgsd/consensus'
import { signBeat, signItem } from '@sgsd/wire'

/**
 * What gossip adds to a message, bytes: the forwarder's frame in protobuf with author (38), sequence number (8), topic (26) and signature
 * (64) and their tags, a yamux header (12) and a Noise tag (16).
 */
const GOSSIP_OVERHEAD_BYTES = 180

/** Bytes of a claim and of a beat on a link, as the wire package encodes them, with large numbers in every field. */
export function messageSizes(): { readonly claimBytes: number; readonly beatBytes: number } {
  const author = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5' as PeerName
  const hash = 'a5'.repeat(32)
  const sign = (): Uint8Array => new Uint8Array(64)
  const big = 2n ** 63n
  const claim = signItem(
    {
      kind: 'claim',
      value: {
        author,
        epoch: 2n ** 40n,
        index: 1_000,
        rosterHash: hash as RosterHash,
        run: { start: 2 ** 20, count: 4_096 },
        xor: big,
        root: hash,
        leaves: hash as BlockId,
      },
    },
    hash as MeshId,
    sign,
  )
  const beat = signBeat(
    {
      author,
      seq: 2n ** 41n,
      rosterHash: hash as RosterHash,
      consensus: hash,
      digest: hash,
      epoch: 2n ** 40n,
      chunksDone: 2 ** 20,
      chunksCovered: 2 ** 20,
      rateNow: 2n ** 40n,
      layers: 10_000,
    },
    hash as MeshId,
    sign,
  )
  return { claimBytes: claim.bytes.length + GOSSIP_OVERHEAD_BYTES, beatBytes: beat.length + GOSSIP_OVERHEAD_BYTES }
}
