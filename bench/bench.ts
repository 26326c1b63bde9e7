/** One figure. Ratios are between medians of runs that took turns on the same machine; absolute figures are of that machine only. */
export interface BenchRow {
  readonly bench: string
  readonly case: string
  readonly value: number
  readonly unit: string
  /** Against what, the note says. */
  readonly ratio?: number
  readonly note?: string
}

export interface BenchOptions {
  /** An execution provider of the lattice, to be measured beside the engines on the processor. */
  readonly provider?: string
}

/** What a file in bench/ exports to be run by `npm run bench`. */
export interface Bench {
  readonly name: string
  run(options: BenchOptions): Promise<BenchRow[]>
}

/** Takes one measurement, in any unit. */
export type Measurement = () => number | Promise<number>

/**
 * Medians of measurements that take turns, so that whatever else the machine does falls on all of them alike.
 * @param rounds - how often each is taken; the first round warms up and is not counted
 */
export async function medians<K extends string>(measurements: Readonly<Record<K, Measurement>>, rounds: number): Promise<Record<K, number>> {
  const names = Object.keys(measurements) as K[]
  const taken = new Map<K, number[]>(names.map((name) => [name, []]))
  for (let round = 0; round <= rounds; round++) {
    for (const name of names) {
      const value = await measurements[name]()
      if (round > 0) taken.get(name)?.push(value)
    }
  }
  return Object.fromEntries(names.map((name) => [name, median(taken.get(name) ?? [])])) as Record<K, number>
}

/** The middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? (sorted[half] ?? Number.NaN) : ((sorted[half - 1] ?? Number.NaN) + (sorted[half] ?? Number.NaN)) / 2
}
