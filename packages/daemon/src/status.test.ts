import { type Beat, LIVE_MS, type Millis, type PeerName } from '@sgsd/consensus'
import { expect, test } from 'vitest'
import { agreesWith, type StatusSources } from './status.ts'

const [self, other] = ['self', 'other'] as PeerName[]
const consensus = { id: 'a1', fold: { digest: 'd1' } } as StatusSources['consensus']
const at = (ms: number): Millis => ms as Millis
const heard = (id: string, digest: string): Parameters<typeof agreesWith>[0] => ({
  self: self!,
  beats: new Map([[other!, { consensus: id, digest } as Beat]]),
  seen: new Map([[other!, at(1_000)]]),
})

test('a member agrees while its newest beat names our consensus and digest, and is unheard once it has fallen silent', () => {
  expect(agreesWith(heard('a1', 'd1'), other!, at(2_000), consensus)).toBe(true)
  expect(agreesWith(heard('a1', 'd2'), other!, at(2_000), consensus)).toBe(false)
  expect(agreesWith(heard('a2', 'd1'), other!, at(2_000), consensus)).toBe(false)
  expect(agreesWith(heard('a1', 'd1'), other!, at(1_000 + LIVE_MS), consensus)).toBe(true)
  expect(agreesWith(heard('a1', 'd1'), other!, at(1_001 + LIVE_MS), consensus)).toBeNull()
  expect(agreesWith(heard('a1', 'd1'), 'third' as PeerName, at(2_000), consensus)).toBeNull()
  expect(agreesWith(heard('a1', 'd1'), other!, at(2_000), undefined)).toBeNull()
  expect(agreesWith(heard('a1', 'd1'), self!, at(2_000), consensus)).toBe(true)
})
