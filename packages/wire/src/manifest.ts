import { type LayerBlock, type LayerId, type LayerManifest, MAX_RADICAL } from '@sgsd/consensus'
import { type Body, encode, parse } from './body.ts'
import { sha256Hex } from './digest.ts'
import { hex, list, oneOf, peerName, real, tuple, u64, uint } from './fields.ts'
import { MAX_MANIFEST_BYTES, MAX_PARENTS } from './limits.ts'
import type { Verdict } from './verdict.ts'

const u32 = uint(0xffff_ffff)

const body: Body<LayerManifest> = {
  // 13 fields and 64 parents, 5 values a block
  limits: { bytes: MAX_MANIFEST_BYTES, values: 2_048 },
  field: tuple<LayerManifest>({
    version: oneOf(1),
    mesh: hex(32),
    kernel: hex(32),
    parents: list(hex<LayerId>(32), MAX_PARENTS),
    author: peerName,
    seq: u64,
    epoch: u64,
    params: tuple({ profile: oneOf('stable', 'published'), rule: oneOf('hebb', 'evidence'), eta: real(1), decay: real(1) }),
    lineage: hex(32),
    scores: tuple({ lines: u64, mean: real(1) }),
    state: hex(32),
    blocks: list(tuple<LayerBlock>({ radical: uint(MAX_RADICAL, 1), rows: u32, nnz: u32, block: hex(32) }), MAX_RADICAL, ({ radical }) => radical),
  }),
}

/** A layer's manifest, docs/protocol.md §8.2 */
export function encodeManifest(manifest: LayerManifest): Uint8Array {
  return encode(body, manifest)
}

export function parseManifest(bytes: Uint8Array): Verdict<LayerManifest> {
  return parse(body, bytes)
}

/** SHA-256 of the manifest bytes. */
export function layerIdOf(bytes: Uint8Array): LayerId {
  return sha256Hex(bytes) as LayerId
}
