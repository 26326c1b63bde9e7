import { z } from 'zod'
import type { OpenaiConfig } from './host-config.ts'
import type { HostEnvironment } from './host-environment.ts'
import { HostError } from './host-error.ts'

/** What was spent in one period: `total`, or a day in UTC such as `2026-11-22`. */
export interface Spent {
  readonly period: string
  readonly requests: number
  readonly tokens: number
}

/** The value that the counter is kept under: one for all models and servers, since one person pays. */
export const BUDGET_VALUE = 'host.budget'

const DAY_MS = 86_400_000

const spentSchema: z.ZodType<Spent> = z.strictObject({ period: z.string().max(16), requests: z.int().min(0), tokens: z.int().min(0) })

/** Counts requests and tokens against a limit. Each request is on disk before it is sent, so that no restart makes it free. */
export class Budget {
  readonly #host: string
  readonly #limits: OpenaiConfig['budget']
  readonly #env: Pick<HostEnvironment, 'values' | 'now' | 'log'>

  constructor(host: string, limits: OpenaiConfig['budget'], env: Pick<HostEnvironment, 'values' | 'now' | 'log'>) {
    this.#host = host
    this.#limits = limits
    this.#env = env
  }

  /** What this period has cost so far. */
  get spent(): Spent {
    const now = this.#env.now()
    const period = this.#limits.per === 'total' ? 'total' : new Date(now).toISOString().slice(0, 10)
    const saved = this.#saved()
    return saved?.period === period ? saved : { period, requests: 0, tokens: 0 }
  }

  /**
   * Takes one request and the tokens that it may cost.
   * @returns gives back the tokens that it did not cost: call it with those it did
   * @throws HostError HOST_REFUSED when the limit is reached
   */
  take(tokens: number): (used: number) => void {
    const { maxRequests, maxTokens, per } = this.#limits
    const { period, ...before } = this.spent
    const tooMany =
      maxRequests > 0 && before.requests + 1 > maxRequests
        ? `all ${maxRequests} requests`
        : maxTokens > 0 && before.tokens + tokens > maxTokens
          ? `${before.tokens} of ${maxTokens} tokens, and this request may need ${tokens}`
          : undefined
    if (tooMany !== undefined) {
      const day = per === 'day'
      throw new HostError('HOST_REFUSED', {
        host: this.#host,
        reason: `the budget is spent: ${tooMany} ${day ? 'of today (UTC)' : 'in total'}`,
        remedy: `raise budget in farm.host${day ? ', or wait for tomorrow' : ''}`,
        ...(day ? { retryAfterMs: DAY_MS - (this.#env.now() % DAY_MS) } : {}),
      })
    }
    this.#save({ period, requests: before.requests + 1, tokens: before.tokens + tokens })
    return (used) => {
      const { tokens: now, ...after } = this.spent
      // A request that began yesterday was yesterday's.
      if (after.period === period) this.#save({ ...after, tokens: Math.max(0, now - tokens + used) })
    }
  }

  #saved(): Spent | undefined {
    const bytes = this.#env.values.getValue(BUDGET_VALUE)
    if (bytes === undefined) return undefined
    try {
      return spentSchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')))
    } catch (error) {
      this.#env.log.warn({ error: (error as Error).message }, 'what the host has cost so far cannot be read; counting from nothing')
      return undefined
    }
  }

  #save(spent: Spent): void {
    this.#env.values.setValue(BUDGET_VALUE, Buffer.from(JSON.stringify(spent), 'utf8'))
  }
}
