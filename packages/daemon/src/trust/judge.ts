import type { Effect, ItemId, ProofVerdict, Signed } from '@sgsd/consensus'
import type { Logger } from 'pino'
import type { Core } from '../core.ts'
import type { Referee } from './referee.ts'

/** Recomputes the chunk of every proof that comes, and remembers what it got for people. */
export class Judge {
  readonly #core: Core
  readonly #referee: Pick<Referee, 'value'>
  readonly #log: Logger
  readonly #computed = new Map<ItemId, bigint>()

  constructor(core: Core, referee: Pick<Referee, 'value'>, log: Logger) {
    this.#core = core
    this.#referee = referee
    this.#log = log
  }

  /** A proof that cannot be recomputed now counts for nothing here; it is checked again when the daemon starts anew. */
  async check({ proof }: Extract<Effect, { type: 'check-proof' }>): Promise<void> {
    try {
      const computed = await this.#referee.value(proof.value.claim.value.epoch, proof.value.chunk)
      this.#computed.set(proof.id, computed)
      this.#core.handle({ type: 'proof-checked', proof, computed })
      for (const id of this.#computed.keys()) if (!this.#isKept(id)) this.#computed.delete(id)
    } catch (error) {
      this.#log.warn({ proof: proof.id, error: (error as Error).message }, 'a proof cannot be recomputed')
    }
  }

  /** What recomputing the chunk of a proof gave; undefined before. */
  computed(proof: Signed<'proof'>): bigint | undefined {
    return this.#computed.get(proof.id)
  }

  verdict(proof: Signed<'proof'>): ProofVerdict | 'unchecked' {
    return this.#core.state.verdicts.get(proof.id) ?? 'unchecked'
  }

  #isKept(id: ItemId): boolean {
    for (const proof of this.#core.state.proofs.values()) if (proof.id === id) return true
    return false
  }
}
