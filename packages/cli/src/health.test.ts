import { expect, test } from 'vitest'
import { samplePeer, sampleStatus } from './fixtures/status.ts'
import { healthOf, SETTLE_MS } from './health.ts'

const self = samplePeer({ self: true, link: 'self' })

test('a mesh where all are there and agree is healthy, and so is a node alone', () => {
  expect(healthOf(sampleStatus()).state).toBe('healthy')
  expect(healthOf(sampleStatus({ mesh: { members: 1, connected: 0, agreeing: 1 }, peers: [self] })).state).toBe('healthy')
})

test('a missing member and a warning degrade it, with the next thing to do', () => {
  const missing = healthOf(sampleStatus({ mesh: { connected: 1 } }))
  expect(missing).toEqual({ state: 'degraded', reasons: [{ message: '1 of 3 members is not connected', hint: 'sgsd peer ls' }] })
  const warned = healthOf(
    sampleStatus({ warnings: [{ message: 'gaia has not been seen for 3m07s', hint: 'sgsd peer show gaia' }], mesh: { connected: 1 } }),
  )
  expect(warned.reasons.map(({ hint }) => hint)).toEqual(['sgsd peer show gaia'])
})

test('disagreement counts once a layer has had the time to travel', () => {
  const boreas = samplePeer({ peerId: '12D3KooWBoreas', name: 'boreas', agrees: false })
  const at = (changedMsAgo: number): string => healthOf(sampleStatus({ peers: [self, boreas], consensus: { changedMsAgo } })).state
  expect(at(SETTLE_MS - 1)).toBe('healthy')
  expect(at(SETTLE_MS)).toBe('degraded')
})
