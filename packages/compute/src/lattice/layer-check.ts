import { checkEvidence, checkEvidenceTotal, checkRows, type EvidenceBlock, type RowBlock } from '@sgsd/consensus'
import type { HanziKernel } from '@sgsd/lattice'
import { parseEvidenceBlock, parseRowBlock, parseStateBlock, type Verdict } from '@sgsd/wire'
import type { CheckedLayer } from './learning/learning.ts'
import type { LayerContent } from './port.ts'

/** How the blocks of one learning rule are read. */
export interface BlockReader<B> {
  parse(bytes: Uint8Array): Verdict<B>
  /** @returns what is wrong with a block, or undefined */
  check(radicals: Uint8Array, block: B): string | undefined
  /** @returns what is wrong with the blocks together, or undefined */
  checkAll(blocks: readonly B[]): string | undefined
}

export const ROW_READER: BlockReader<RowBlock> = { parse: parseRowBlock, check: checkRows, checkAll: () => undefined }

export const EVIDENCE_READER: BlockReader<EvidenceBlock> = { parse: parseEvidenceBlock, check: checkEvidence, checkAll: checkEvidenceTotal }

/** Parses a layer's blocks and checks them against the kernel. A layer is good or refused whole. @returns the layer, or why it is refused */
export function checkLayer<B extends { readonly radical: number }>(
  kernel: HanziKernel,
  content: LayerContent,
  reader: BlockReader<B>,
): CheckedLayer<B> | { readonly refusal: string } {
  const lattice = kernel.radicals.subarray(0, kernel.definedCount)
  const blocks: B[] = []
  const seen = new Set<number>()
  for (const { radical, bytes } of content.radicals) {
    if (seen.has(radical)) return { refusal: `radical ${radical} occurs twice` }
    seen.add(radical)
    const verdict = reader.parse(bytes)
    if (verdict.type !== 'accept') return { refusal: `the block of radical ${radical}: ${verdict.reason}` }
    const block = verdict.value
    if (block.radical !== radical) return { refusal: `the block of radical ${radical} holds radical ${block.radical}` }
    const wrong = reader.check(lattice, block)
    if (wrong !== undefined) return { refusal: `the block of radical ${radical}: ${wrong}` }
    blocks.push(block)
  }
  const wrong = reader.checkAll(blocks)
  if (wrong !== undefined) return { refusal: wrong }
  const state = parseStateBlock(content.state)
  if (state.type !== 'accept') return { refusal: `the state block: ${state.reason}` }
  if (state.value.length !== kernel.definedCount) {
    return { refusal: `the state has ${state.value.length} entries, the lattice ${kernel.definedCount} rows` }
  }
  const bad = state.value.findIndex((value) => !(value >= 0 && value <= 1))
  if (bad !== -1) return { refusal: `entry ${bad} of the state is ${state.value[bad]}, outside [0, 1]` }
  return { blocks, state: state.value }
}
