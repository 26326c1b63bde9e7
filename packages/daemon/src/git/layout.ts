/** The folder in which everything of a mesh lies; what else a repository holds is nobody's business here. */
export const LAYERS_FOLDER = 'layers'
export const MEMBERS_FOLDER = 'members'
export const CONSENSUS_FOLDER = 'consensus'

/** Bytes of a file that is pushed or read: the large hosts of repositories take up to 100 MB. */
export const MAX_REPOSITORY_FILE_BYTES: number = 95 * 2 ** 20

/** A member's layer for PyTorch. @param layer - its whole id */
export function tensorName(layer: string): string {
  return `${layer}.pt.zst`
}

/** The same layer, portable: what others take in. */
export function bundleName(layer: string): string {
  return `${layer}.layer.zst`
}

/** The layer of a portable file's name, or undefined. */
export function layerOfName(name: string): string | undefined {
  return /^([0-9a-f]{64})\.layer\.zst$/.exec(name)?.[1]
}

/** What a fold's matrices are called, after what it does to each. */
export function consensusNames(foldId: string): { readonly tau: string; readonly rho: string; readonly counts: string } {
  const rule = foldId.replace(/\/\d+$/, '')
  return { tau: `Wτ_${rule}.pt.zst`, rho: `Wρ_${rule === 'mean' ? 'max' : rule}.pt.zst`, counts: 'N_sum.pt.zst' }
}
