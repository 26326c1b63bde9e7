/** What is simulated. Shares are fractions in [0, 1]; of members unless something else is said. */
export interface SimOptions {
  readonly seed: number
  readonly nodes: number
  /** Epochs to complete. */
  readonly epochs: number
  /** Chunks of an epoch for each member. */
  readonly chunks: number
  /** Fraction of its chunks that a forger forges; 0: nobody forges. */
  readonly forgers: number
  /** Share of members that forge, at least one. */
  readonly forgerShare: number
  /** First epoch with forged claims. */
  readonly forgeFrom: number
  /** Share of members that never report what they find. */
  readonly collude: number
  /** Members that sign two claims for one place in every epoch. */
  readonly equivocators: number
  /** Members that claim and keep the leaves to themselves. */
  readonly withholders: number
  /** Members that accuse an honest one. */
  readonly framers: number
  /** Ids that nobody admitted, with records, heads, claims and votes for each other. */
  readonly sybils: number
  /** Share of members that vanish at the beginning of each epoch and come back at that of the next. */
  readonly churn: number
  /** Share of what is sent to a member that does not arrive, arrives 5 to 15 s late, or arrives twice. */
  readonly loss: number
  readonly delay: number
  readonly duplicate: number
  /** Epochs at whose beginning the mesh falls into two halves for a minute. */
  readonly partitions: readonly number[]
  /** Members begin in probation instead of trusted. */
  readonly newcomers: boolean
  /** Members with equal views share one state. Off: every member steps by itself. The results are the same. */
  readonly share: boolean
}

export const DEFAULTS: SimOptions = {
  seed: 1,
  nodes: 100,
  epochs: 20,
  chunks: 4_096,
  forgers: 0,
  forgerShare: 0.02,
  forgeFrom: 1,
  collude: 0,
  equivocators: 0,
  withholders: 0,
  framers: 0,
  sybils: 0,
  churn: 0,
  loss: 0,
  delay: 0,
  duplicate: 0,
  partitions: [],
  newcomers: false,
  share: true,
}

/** Members that one founder can vote in: a mesh with Sybils admits by votes, and one author has so many. */
export const MAX_VOTED_IN = 200
/** Members of which a simulation may consist. */
export const MAX_NODES = 4_096

/** @returns what is wrong with the options, or undefined */
export function optionFault(options: SimOptions): string | undefined {
  const { nodes, epochs, chunks, sybils, seed } = options
  if (!(Number.isSafeInteger(seed) && seed >= 0)) return 'seed must be a whole number from 0 to 2^53 - 1'
  if (!isBetween(nodes, 3, MAX_NODES)) return `nodes must be a whole number from 3 to ${MAX_NODES}`
  if (!isBetween(epochs, 1, 10_000)) return 'epochs must be a whole number from 1 to 10000'
  if (!isBetween(chunks, 16, 16_384)) return 'chunks must be a whole number from 16 to 16384'
  if (nodes * chunks > 2 ** 24) return `an epoch has at most 2^24 chunks: ${nodes} nodes may have ${Math.floor(2 ** 24 / nodes)} each`
  for (const share of ['forgers', 'forgerShare', 'collude', 'churn', 'loss', 'delay', 'duplicate'] as const)
    if (!(options[share] >= 0 && options[share] <= 1)) return `${share} must be from 0 to 1`
  for (const count of ['forgeFrom', 'equivocators', 'withholders', 'framers', 'sybils'] as const)
    if (!isBetween(options[count], 0, 10_000)) return `${count} must be a whole number from 0 to 10000`
  if (!options.partitions.every((epoch) => isBetween(epoch, 0, 10_000))) return 'partitions must be epochs'
  if (options.loss + options.delay + options.duplicate > 0.9) return 'loss, delay and duplicate together must not exceed 0.9'
  if (sybils > 0 && nodes > MAX_VOTED_IN) return `sybils are for meshes that admit by votes, here of up to ${MAX_VOTED_IN} nodes`
  const offenders = (options.forgers > 0 ? forgerCount(options) : 0) + options.equivocators + options.withholders + options.framers
  return offenders > nodes / 2 ? `${offenders} of ${nodes} members would offend: at most half can` : undefined
}

export function forgerCount({ nodes, forgerShare, forgers }: Pick<SimOptions, 'nodes' | 'forgerShare' | 'forgers'>): number {
  return forgers > 0 ? Math.max(1, Math.round(nodes * forgerShare)) : 0
}

function isBetween(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most
}
