import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Budget, BUDGET_VALUE } from './budget.ts'
import { world } from './fixtures/world.ts'

test('never more than the limits, over any requests and restarts', async () => {
  const env = await world()
  fc.assert(
    fc.property(fc.array(fc.record({ take: fc.nat(50), used: fc.nat(50), again: fc.boolean() })), (steps) => {
      env.stored.clear()
      const limits = { maxRequests: 10, maxTokens: 100, per: 'total' as const }
      let budget = new Budget('host', limits, env)
      let requests = 0
      let tokens = 0
      for (const { take, used, again } of steps) {
        if (again) budget = new Budget('host', limits, env)
        try {
          const settle = budget.take(take)
          requests++
          tokens += Math.min(used, take)
          settle(Math.min(used, take))
        } catch {
          expect(requests === 10 || tokens + take > 100).toBe(true)
        }
        expect(budget.spent).toEqual({ period: 'total', requests, tokens })
        expect(requests <= 10 && tokens <= 100).toBe(true)
      }
    }),
  )
})

test('0 is no limit, and is counted all the same', async () => {
  const env = await world({ now: () => Date.parse('2026-11-22T12:00:00Z') })
  const budget = new Budget('host', { maxRequests: 0, maxTokens: 0, per: 'day' }, env)
  for (let i = 0; i < 100; i++) budget.take(1e9)(7)
  expect(budget.spent).toEqual({ period: '2026-11-22', requests: 100, tokens: 700 })
})

test('a request that ends the day after gives nothing to the new day', async () => {
  let now = Date.parse('2026-11-22T23:59:59Z')
  const budget = new Budget('host', { maxRequests: 9, maxTokens: 1_000, per: 'day' }, await world({ now: () => now }))
  const settle = budget.take(600)
  now += 2_000
  const other = budget.take(500)
  settle(0)
  expect(budget.spent).toEqual({ period: '2026-11-23', requests: 1, tokens: 500 })
  other(100)
  expect(budget.spent.tokens).toBe(100)
})

test('a counter that cannot be read begins anew, and says so', async () => {
  const env = await world()
  const budget = new Budget('host', { maxRequests: 1, maxTokens: 0, per: 'total' }, env)
  for (const damaged of ['{', '{"period":"total","requests":-1,"tokens":0}', '{"period":"total","requests":1e400,"tokens":0}']) {
    env.stored.set(BUDGET_VALUE, Buffer.from(damaged))
    expect(budget.spent.requests).toBe(0)
    expect(env.logged.at(-1)).toMatchObject({ level: 'warn' })
  }
})
