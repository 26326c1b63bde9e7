import type { Millis, PeerName } from '@sgsd/consensus'
import { describe, expect, test } from 'vitest'
import { Conduct, STRIKES } from './conduct.ts'

const PEER = 'p' as PeerName
const at = (ms: number): Millis => ms as Millis

/** Sends `perSecond` messages a second for `seconds`. @returns taken, and when the ban came */
function flood(perSecond: number, seconds: number): { taken: number; bannedAt: number | undefined } {
  const conduct = new Conduct()
  let taken = 0
  for (let i = 0; i < perSecond * seconds; i++) {
    const now = (i * 1_000) / perSecond
    const result = conduct.gossip(PEER, at(now))
    if (result === 'ban') return { taken, bannedAt: now }
    if (result === 'take') taken++
  }
  return { taken, bannedAt: undefined }
}

describe('misbehaviour', () => {
  test('5,000 messages a second are cut to the allowance and banned within 30 s', () => {
    const { taken, bannedAt } = flood(5_000, 60)
    expect(taken).toBeLessThan(2_500)
    expect(bannedAt).toBeLessThan(30_000)
  })

  test('100 messages a second for ten minutes are all taken', () => {
    expect(flood(100, 600)).toEqual({ taken: 60_000, bannedAt: undefined })
  })

  test('a little over the allowance is dropped, never banned: an honest peer forwards what it takes of a flood', () => {
    const { taken, bannedAt } = flood(400, 120)
    expect(bannedAt).toBeUndefined()
    expect(taken).toBeLessThan(38_000)
  })

  test('ten rejected messages in a row ban; one a minute does not', () => {
    const quick = new Conduct()
    const results = Array.from({ length: 12 }, (_, i) => quick.strike(PEER, STRIKES.gossipRejected, at(i)))
    expect(results.filter(Boolean)).toHaveLength(1)
    expect(quick.isBanned(PEER, at(100))).toBe(true)

    const slow = new Conduct()
    for (let i = 0; i < 500; i++) expect(slow.strike(PEER, STRIKES.gossipRejected, at(i * 60_000))).toBe(false)
  })

  test('a ban ends, and the next one is longer', () => {
    const conduct = new Conduct()
    const ban = (from: number): number => {
      for (let i = 0; i < 20; i++) conduct.strike(PEER, 4, at(from))
      let until = from
      while (conduct.isBanned(PEER, at(until))) until += 1_000
      return until - from
    }
    const first = ban(0)
    const second = ban(10_000_000)
    expect(first).toBeGreaterThan(60_000)
    expect(second).toBeGreaterThan(1.5 * first)
  })

  test('a thousand invented peers do not fill memory and do not clear a recent ban', () => {
    const conduct = new Conduct()
    for (let i = 0; i < 500; i++) conduct.gossip(`x${i}` as PeerName, at(i))
    for (let i = 0; i < 20; i++) conduct.strike(PEER, 4, at(500))
    for (let i = 0; i < 900; i++) conduct.gossip(`y${i}` as PeerName, at(600 + i))
    expect(conduct.isBanned(PEER, at(2_000))).toBe(true)
  })
})
