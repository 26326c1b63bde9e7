import type { BlockId, LayerId } from '@sgsd/consensus'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type FarmJobs, parseFarmJobs, renderFarmJobs } from './farm-jobs.ts'

const digest = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex'))
const job = fc.record({
  name: fc.string({ maxLength: 40 }),
  block: digest as fc.Arbitrary<BlockId>,
  total: fc.nat(),
  next: fc.nat(),
  pending: fc.option(fc.record({ next: fc.nat(), layer: digest as fc.Arbitrary<LayerId> }), { nil: undefined }),
})

test('what is saved is read back', () => {
  fc.assert(
    fc.property(fc.array(job, { maxLength: 5 }), fc.nat(), (jobs, finishedLines) => {
      const saved: FarmJobs = { jobs, finishedLines }
      expect(parseFarmJobs(renderFarmJobs(saved))).toEqual(saved)
    }),
  )
})

test('damaged bytes count as nothing saved', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(parseFarmJobs(bytes)).toEqual({ jobs: [], finishedLines: 0 })
    }),
  )
  expect(parseFarmJobs(Buffer.from('{"jobs":[{"name":"x"}],"finishedLines":1}'))).toEqual({ jobs: [], finishedLines: 0 })
  expect(parseFarmJobs(undefined)).toEqual({ jobs: [], finishedLines: 0 })
})
