import type { Millis, PeerName } from '@sgsd/consensus'
import type { Verdict } from '@sgsd/wire'
import { describe, expect, test } from 'vitest'
import { Conduct } from './conduct.ts'
import { MeshError } from './mesh-error.ts'
import { Warden } from './warden.ts'

const P = 'p' as PeerName
const accepted: Verdict<void> = { type: 'accept', value: undefined }

function warden(onGossip: () => Verdict<void>): { warden: Warden; banned: string[]; logged: string[]; at: (ms: number) => void } {
  const banned: string[] = []
  const logged: string[] = []
  let now = 0
  const made = new Warden({
    conduct: new Conduct(),
    now: () => now as Millis,
    onGossip,
    log: (level, _, text) => void logged.push(`${level} ${text}`),
    banned: (peer, reason) => void banned.push(`${peer}: ${reason}`),
  })
  return { warden: made, banned, logged, at: (ms) => void (now = ms) }
}

describe('between peers and handlers', () => {
  test('a verdict is passed on as it is', () => {
    const verdicts: Verdict<void>[] = [accepted, { type: 'ignore', reason: 'old' }, { type: 'reject', reason: 'forged' }]
    const judged = verdicts.map((verdict) => warden(() => verdict).warden.judge('heads', new Uint8Array(), P))
    expect(judged).toEqual(['accept', 'ignore', 'reject'])
  })

  test('a handler that throws forwards nothing and punishes nobody', () => {
    const {
      warden: w,
      banned,
      logged,
    } = warden(() => {
      throw new Error('a bug of ours')
    })
    for (let i = 0; i < 50; i++) expect(w.judge('heads', new Uint8Array(), P)).toBe('ignore')
    expect(banned).toEqual([])
    expect(logged).toContain('error the gossip handler threw')
  })

  test('in a flood the handler is asked only within the allowance, and the flooder is banned once', () => {
    let asked = 0
    const {
      warden: w,
      banned,
      at,
    } = warden(() => {
      asked++
      return accepted
    })
    for (let i = 0; i < 20_000; i++) {
      at(i / 5)
      w.judge('roster', new Uint8Array(), P)
    }
    expect(asked).toBeLessThan(3_000)
    expect(banned).toEqual(['p: it floods the gossip'])
  })

  test('rejected messages and broken frames lead to a ban; a lost connection or a stall does not', async () => {
    const { warden: w, banned } = warden(() => ({ type: 'reject', reason: 'forged' }))
    for (let i = 0; i < 20; i++) {
      w.account(P, new MeshError('STREAM_CLOSED', { peer: P, detail: 'reset' }))
      w.account(P, new MeshError('STALLED', { peer: P, afterMs: 1 }))
      w.account(P, new Error('the disk is full'))
    }
    expect(banned).toEqual([])
    const error = new MeshError('FRAME_INVALID', { peer: P, detail: 'no' })
    for (let i = 0; i < 4; i++) await expect(w.watch(P, () => Promise.reject(error))).rejects.toBe(error)
    expect(banned).toEqual([])
    w.judge('heads', new Uint8Array(), P)
    w.judge('heads', new Uint8Array(), P)
    expect(banned).toEqual(['p: forged'])
  })
})
