import type { Csr, LatticeMatrices } from '@sgsd/lattice'
import type { ConsensusRow } from './port.ts'

export const NO_EDGES: ConsensusRow = { tau: [], rho: [] }

/** A row of a lattice as edges, columns ascending. */
export function consensusRow({ tau, rho }: LatticeMatrices, row: number): ConsensusRow {
  return { tau: edges(tau, row), rho: edges(rho, row) }
}

function edges({ ptr, cols, vals }: Csr, row: number): ConsensusRow['tau'] {
  return Array.from({ length: ptr[row + 1]! - ptr[row]! }, (_, i) => ({ column: cols[ptr[row]! + i]!, weight: vals[ptr[row]! + i]! }))
}
