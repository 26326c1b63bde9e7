import { afterEach, expect, test, vi } from 'vitest'
import { WorkerLink } from './worker-link.ts'

interface EchoCalls {
  echo(value: unknown): unknown
  slow(value: number, ms: number): number
  log(): number[]
  refuse(): never
  blunder(): never
  exit(): never
  explode(): void
  forEver(): never
  untilStopped(began: Int32Array): string
}

const links: WorkerLink<EchoCalls>[] = []

function openLink(): WorkerLink<EchoCalls> {
  const link = new WorkerLink<EchoCalls>({ url: new URL('./fixtures/echo-worker.mjs', import.meta.url), name: 'echo', data: {} })
  links.push(link)
  return link
}

afterEach(async () => {
  await Promise.all(links.splice(0).map((link) => link.close()))
})

test('answers come in the order of the calls, one call at a time', async () => {
  const link = openLink()
  const settled: number[] = []
  const calls = [link.call('slow', 1, 30), link.call('slow', 2, 10), link.call('slow', 3, 0)]
  await Promise.all(calls.map((call) => call.then((value) => settled.push(value))))
  expect(settled).toEqual([1, 2, 3])
  expect(await link.call('log')).toEqual([1, 2, 3])
})

test('bytes arrive whole and the caller keeps its buffer', async () => {
  const link = openLink()
  const large = Uint8Array.from({ length: 1000 }, (_, i) => i)
  const echoed = (await link.call('echo', { view: large.subarray(10, 14) })) as { view: Uint8Array }
  expect([...echoed.view]).toEqual([10, 11, 12, 13])
  expect(echoed.view.buffer.byteLength).toBe(4)
  expect(large[10]).toBe(10)
})

test('a coded error keeps its code and data, a bug its message', async () => {
  const link = openLink()
  await expect(link.call('refuse')).rejects.toMatchObject({ name: 'ComputeError', code: 'TEXT_UNKNOWN', data: { text: 'abc' } })
  await expect(link.call('blunder')).rejects.toThrow('a bug')
  expect(await link.call('echo', 'still there')).toBe('still there')
})

test.for(['exit', 'explode'] as const)('when the worker dies (%s), every call is rejected with WORKER_CRASHED', async (how) => {
  const link = openLink()
  const calls = [link.call(how), link.call('slow', 1, 1_000), link.call('echo', 2)]
  const outcomes = await Promise.allSettled(how === 'exit' ? calls : calls.slice(1))
  for (const outcome of outcomes) expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'WORKER_CRASHED' } })
  await expect(link.call('echo', 3)).rejects.toMatchObject({ code: 'WORKER_CRASHED', data: { worker: 'echo' } })
})

test('close lets the running call stop, rejects the waiting ones with CLOSED, and is idempotent', async () => {
  const link = openLink()
  await link.call('echo', 'ready')
  const began = new Int32Array(new SharedArrayBuffer(4))
  const running = link.call('untilStopped', began)
  await vi.waitUntil(() => Atomics.load(began, 0) === 1)
  const waiting = link.call('echo', 1)
  const outcomes = Promise.allSettled([running, waiting])
  await Promise.all([link.close(), link.close()])
  expect(await outcomes).toMatchObject([{ value: 'stopped' }, { reason: { code: 'CLOSED' } }])
  await expect(link.call('echo', 2)).rejects.toMatchObject({ code: 'CLOSED', data: { call: 'echo' } })
  await link.close()
})

test('close ends a worker that does not answer', async () => {
  const link = openLink()
  await link.call('echo', 'ready')
  const running = link.call('forEver')
  const outcome = Promise.allSettled([running])
  const began = performance.now()
  await link.close()
  expect(performance.now() - began).toBeLessThan(4_000)
  expect(await outcome).toMatchObject([{ reason: { code: 'CLOSED' } }])
})
