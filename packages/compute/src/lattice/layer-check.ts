import { checkRows, type RowBlock } from '@sgsd/consensus'
import type { HanziKernel } from '@sgsd/lattice'
import { parseRowBlock, parseStateBlock } from '@sgsd/wire'
import type { LayerContent } from './port.ts'

/** A layer that passed every check: what the fold takes. */
export interface CheckedLayer {
  readonly blocks: readonly RowBlock[]
  readonly state: Float32Array
}

/** Parses a layer's blocks and checks them against the kernel. A layer is good or refused whole. @returns the layer, or why it is refused */
export function checkLayer(kernel: HanziKernel, content: LayerContent): CheckedLayer | { readonly refusal: string } {
  const lattice = kernel.radicals.subarray(0, kernel.definedCount)
  const blocks: RowBlock[] = []
  const seen = new Set<number>()
  for (const { radical, bytes } of content.radicals) {
    if (seen.has(radical)) return { refusal: `radical ${radical} occurs twice` }
    seen.add(radical)
    const verdict = parseRowBlock(bytes)
    if (verdict.type !== 'accept') return { refusal: `the block of radical ${radical}: ${verdict.reason}` }
    const block = verdict.value
    if (block.radical !== radical) return { refusal: `the block of radical ${radical} holds radical ${block.radical}` }
    const wrong = checkRows(lattice, block)
    if (wrong !== undefined) return { refusal: `the block of radical ${radical}: ${wrong}` }
    blocks.push(block)
  }
  const state = parseStateBlock(content.state)
  if (state.type !== 'accept') return { refusal: `the state block: ${state.reason}` }
  if (state.value.length !== kernel.definedCount) {
    return { refusal: `the state has ${state.value.length} entries, the lattice ${kernel.definedCount} rows` }
  }
  const bad = state.value.findIndex((value) => !(value >= 0 && value <= 1))
  if (bad !== -1) return { refusal: `entry ${bad} of the state is ${state.value[bad]}, outside [0, 1]` }
  return { blocks, state: state.value }
}
