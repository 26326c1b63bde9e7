import { createHash } from 'node:crypto'
import type { HeadsDocument } from '@sgsd/daemon'
import {
  type EvidenceBlock,
  fold,
  foldBytes,
  type Folded,
  type FoldId,
  type FoldMember,
  type LayerId,
  type PeerName,
  type RowBlock,
} from '@sgsd/consensus'
import { consensusTensors, type LayerBundle, MAX_BUNDLE_BYTES, splitLayerBundle, type TensorFile } from '@sgsd/interop'
import { buildLattice, type EvidenceCsr, sumEvidence } from '@sgsd/lattice'
import { parseEvidenceBlock, parseRowBlock, parseStateBlock, type Verdict } from '@sgsd/wire'
import type { ControlClient } from '../edges.ts'
import { EXIT } from '../exit-code.ts'
import { CliError } from '../failure.ts'
import { readHanziKernel } from '../shipped-data.ts'

/** A consensus may change while its layers are read; then they are read again. */
const ATTEMPTS = 4

/** The mesh's consensus as tensors, and what it was folded from. */
export interface ConsensusFile {
  readonly heads: HeadsDocument
  readonly file: TensorFile
}

/**
 * Folds the heads of a running daemon once more, apart from it, and compares digests: the file holds what the node answers from, or it is not written.
 * @throws CliError CONSENSUS_NONE | CONSENSUS_UNSETTLED
 */
export async function readConsensus(control: ControlClient, signal: AbortSignal): Promise<ConsensusFile> {
  const kernel = await readHanziKernel()
  const base = buildLattice(kernel)
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const heads = await control.get<HeadsDocument>('/v1/heads', signal)
    if (heads.kernel !== kernel.id) throw new CliError('KERNEL_MISMATCH', 'the daemon stands on another hanzi table', EXIT.configuration)
    if (heads.heads.length === 0) throw new CliError('CONSENSUS_NONE', 'there is no layer to fold yet', EXIT.failure, 'sgsd farm poems.txt')
    const bundles: LayerBundle[] = []
    for (const { layer } of heads.heads) bundles.push(await readBundle(control, layer, signal))
    const foldId = heads.foldId as FoldId
    const { folded, counts } = folding(foldId, heads, bundles, base, new Float32Array(kernel.definedCount))
    if (digestOf(kernel.id, foldId, folded) === heads.digest) {
      const { mesh, consensus, digest, heads: folds } = heads
      return { heads, file: consensusTensors(folded, { mesh, kernel: kernel.id, foldId, consensus, digest, heads: folds }, counts) }
    }
  }
  throw new CliError('CONSENSUS_UNSETTLED', 'the consensus changes faster than its layers are read', EXIT.failure, 'try again in a moment')
}

/** A layer of the running daemon, or one that its peers have. @param layer - hex digits, or `own` @throws CliError LAYER_DAMAGED */
export async function readBundle(control: ControlClient, layer: string, signal: AbortSignal): Promise<LayerBundle> {
  return must(splitLayerBundle(await control.bytes(`/v1/layers/${layer}/bundle`, MAX_BUNDLE_BYTES, signal)))
}

/** @throws CliError LAYER_DAMAGED */
export function must<T>(verdict: Verdict<T>): T {
  if (verdict.type === 'accept') return verdict.value
  throw new CliError('LAYER_DAMAGED', `the layer cannot be read: ${verdict.reason}`, EXIT.failure, 'sgsd store scrub')
}

type Base = ReturnType<typeof buildLattice>

function folding(
  foldId: FoldId,
  { heads }: HeadsDocument,
  bundles: readonly LayerBundle[],
  base: Base,
  zero: Float32Array,
): { readonly folded: Folded; readonly counts?: EvidenceCsr } {
  const members = <B>(parse: (bytes: Uint8Array) => Verdict<B>): FoldMember<B>[] =>
    heads.map(({ author, seq, layer, weight }, i) => {
      const { blocks, state } = bundles[i]!
      return {
        peer: author as PeerName,
        seq: BigInt(seq),
        layer: layer as LayerId,
        weight,
        blocks: blocks.map((bytes) => must(parse(bytes))),
        state: must(parseStateBlock(state)),
      }
    })
  if (foldId !== 'evidence/1') return { folded: fold(foldId, base, zero, members<RowBlock>(parseRowBlock)) }
  const counting = members<EvidenceBlock>(parseEvidenceBlock)
  const sum = sumEvidence(
    base.tau.rows,
    counting.flatMap(({ blocks }) => blocks),
  )
  return { folded: fold(foldId, base, zero, counting), counts: sum }
}

/** docs/protocol.md §9.6 */
function digestOf(kernel: string, foldId: FoldId, folded: Folded): string {
  const hash = createHash('sha256').update(kernel).update(foldId)
  for (const bytes of foldBytes(folded)) hash.update(bytes)
  return hash.digest('hex')
}
