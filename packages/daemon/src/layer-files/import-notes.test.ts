import type { LayerId } from '@sgsd/consensus'
import { openMemoryStore } from '@sgsd/store'
import { expect, test } from 'vitest'
import { countedBefore, type ImportNote, ImportNotes } from './import-notes.ts'
import { voucherOf, vouches } from './voucher.ts'

const layer = 'ab'.repeat(32) as LayerId
const note = (digest: string, mesh?: string, author = ''): ImportNote => ({
  digest,
  origin: mesh === undefined ? undefined : { mesh, author },
  layer,
  settled: true,
})

test('notes are kept', async () => {
  await using store = await openMemoryStore()
  const notes = new ImportNotes(store.items)
  notes.set({ ...note('01', 'm', 'a'), settled: false })
  notes.set(note('02'))
  notes.set(note('01', 'm', 'a'))
  expect(notes.list()).toEqual([note('01', 'm', 'a'), note('02')])
})

test.each([
  ['the same counts', note('01'), note('01'), /added before/],
  ['the same counts from elsewhere', note('01', 'm', 'a'), note('01', 'n', 'b'), /added before/],
  ['more counts of one member', note('01', 'm', 'a'), note('02', 'm', 'a'), /that member were added/],
  ['a member, after the consensus of its mesh', note('01', 'm'), note('02', 'm', 'a'), /that member were added/],
  ['a consensus, after a member of its mesh', note('01', 'm', 'a'), note('02', 'm'), /members of that mesh were added/],
])('%s would count twice', (_, held, coming, reason) => {
  expect(countedBefore([note('00'), held], coming)).toMatch(reason)
})

test.each([
  ['other counts of unknown origin', note('01'), note('02')],
  ['another member of that mesh', note('01', 'm', 'a'), note('02', 'm', 'b')],
  ['a member of the same name in another mesh', note('01', 'm', 'a'), note('02', 'n', 'a')],
  ['the consensus of another mesh', note('01', 'm', 'a'), note('02', 'n')],
])('%s would not', (_, held, coming) => {
  expect(countedBefore([held], coming)).toBeUndefined()
})

test('a voucher is of one key and two envelopes', () => {
  const [key, head, record] = [new Uint8Array(32), Buffer.from('head'), Buffer.from('record')]
  const voucher = voucherOf(key, head, record)
  expect(vouches(voucher, key, head, record)).toBe(true)
  expect(vouches(voucher, new Uint8Array(32).fill(1), head, record)).toBe(false)
  expect(vouches(voucher, key, record, head)).toBe(false)
  expect(vouches(new Uint8Array(0), key, head, record)).toBe(false)
  expect(vouches(voucher.fill(0, 31), key, head, record)).toBe(false)
})
