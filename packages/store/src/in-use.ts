import type { BlockId } from '@sgsd/consensus'

/** Uses older than this are forgotten, ms: no grace period is longer. */
export const MAX_GRACE_MS: number = 3_600_000

/** Which blocks somebody holds, and which were used lately in this process. Time is the caller's monotonic clock, ms. */
export class InUse {
  /** Least lately used first. */
  readonly #used = new Map<BlockId, number>()
  readonly #leases = new Map<BlockId, number>()

  use(id: BlockId, now: number): void {
    this.#used.delete(id)
    this.#used.set(id, now)
    for (const [oldest, at] of this.#used) {
      if (now - at <= MAX_GRACE_MS) return
      this.#used.delete(oldest)
    }
  }

  lease(ids: Iterable<BlockId>): Disposable {
    const held = new Set(ids)
    for (const id of held) this.#leases.set(id, (this.#leases.get(id) ?? 0) + 1)
    return {
      [Symbol.dispose]: () => {
        for (const id of held) {
          const left = this.#leases.get(id)! - 1
          if (left === 0) this.#leases.delete(id)
          else this.#leases.set(id, left)
        }
        held.clear()
      },
    }
  }

  /** Leased, or used at `since` or later. */
  has(id: BlockId, since: number): boolean {
    return this.#leases.has(id) || (this.#used.get(id) ?? -Infinity) >= since
  }
}
