import type { SetPairs } from '@sgsd/compute'

/** One pair: set `a` covers the share `tau` of set `b`, and has `rho` of |b| that `b` lacks. */
export interface Pair {
  readonly a: number
  readonly b: number
  readonly shared: number
  readonly tau: number
  readonly rho: number
}

/** The best pairs of all rows, best first: τ falling, then ρ rising, then a and b rising. @param limit - most of them, ≥ 1; memory is twice as many */
export function bestPairs({ ptr, cols, shared, sizes }: SetPairs, limit: number): readonly Pair[] {
  let best: Pair[] = []
  const cut = (): void => {
    best.sort(byRank)
    best = best.slice(0, limit)
  }
  for (let a = 0; a < sizes.length; a++) {
    for (let at = ptr[a]!; at < ptr[a + 1]!; at++) {
      const [b, both] = [cols[at]!, shared[at]!]
      best.push({ a, b, shared: both, tau: both / sizes[b]!, rho: (sizes[a]! - both) / sizes[b]! })
      if (best.length === 2 * limit) cut()
    }
  }
  cut()
  return best
}

function byRank(x: Pair, y: Pair): number {
  return y.tau - x.tau || x.rho - y.rho || x.a - y.a || x.b - y.b
}
