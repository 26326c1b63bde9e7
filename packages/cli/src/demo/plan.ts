/** What a demo run sets out to do. */
export interface DemoPlan {
  /** Names of the nodes; the first founds the mesh, the last is killed on the way. */
  readonly names: readonly string[]
  readonly seed: bigint
  readonly epochColours: bigint
  /** Mining threads of each node. */
  readonly threads: number
}

export const LEAST_NODES = 2
export const MOST_NODES = 8

const NAMES = ['atlas', 'boreas', 'calypso', 'daphne', 'echo', 'flora', 'gaia', 'helios'] as const

/** The epoch is computed twice, by the mesh and by the check without it: together about 8 s of an idle machine, and 20 s of a busy one. */
const EPOCH_SECONDS = 4
/** At least 256 chunks, so that every node has a range worth the name; at most what a fast machine mines in the demo's time. */
const LEAST_EPOCH_BITS = 28
const MOST_EPOCH_BITS = 38

/**
 * @param nodes - 2 to 8
 * @param rate - colours per second of this machine on all cores
 * @param cores - processors of this machine
 */
export function planDemo(nodes: number, rate: number, cores: number, seed: bigint): DemoPlan {
  const bits = Math.round(Math.log2(Math.max(1, rate * EPOCH_SECONDS)))
  return {
    names: NAMES.slice(0, nodes),
    seed,
    epochColours: 1n << BigInt(Math.min(MOST_EPOCH_BITS, Math.max(LEAST_EPOCH_BITS, bits))),
    threads: Math.max(1, Math.floor(cores / nodes)),
  }
}
