import type { StoreDocument, StoreGcDocument, StoreLine, StoreScrubDocument, StoreUsageDocument } from '@sgsd/daemon'
import { expect, test } from 'vitest'
import type { DaemonEdge, Edges } from '../edges.ts'
import { EXIT } from '../exit-code.ts'
import { runCommand } from '../fixtures/command-run.ts'

const USAGE: StoreUsageDocument = {
  schema: 'sgsd.store-du/1',
  by: 'daemon',
  kinds: [
    { kind: 'rows', blocks: 1_234, bytes: 3 * 2 ** 20, ownBytes: 2 ** 20, othersBytes: 0, sharedBytes: 2 * 2 ** 20 },
    { kind: 'unreferenced', blocks: 2, bytes: 2 ** 20, ownBytes: 0, othersBytes: 0, sharedBytes: 0 },
  ],
  total: { blocks: 1_236, bytes: 2 ** 22 },
  layers: { known: 12, whole: 4, pinned: 1, unsharedBytes: 400, bytes: 100 },
  files: ['state.db', 'farm.db', 'a', 'b', 'c', 'd'].map((name, n) => ({ name, bytes: 2_048 >> n })),
  missing: 3,
  freeBytes: 2 ** 30,
}
const GC: StoreGcDocument = {
  schema: 'sgsd.store-gc/1',
  by: 'command',
  dryRun: false,
  freed: { blocks: 10, bytes: 2_048 },
  spared: { blocks: 1, bytes: 1_024 },
  kept: { blocks: 5, bytes: 512 },
  graceMs: 600_000,
  held: '',
  ms: 20,
  freeBytes: 2 ** 30,
}
const SCRUB: StoreScrubDocument = {
  schema: 'sgsd.store-scrub/1',
  by: 'daemon',
  checked: 1_000,
  bytes: 2 ** 20,
  ms: 1_000,
  damaged: ['fetched', 'lost'].map((repair, n) => ({ id: String(n).repeat(64), kind: 'rows', repair: repair as 'lost' })),
  missing: { blocks: 4, fetched: 4 },
}

interface Asked {
  readonly path: string
  readonly body: unknown
}

/** A daemon that answers with these lines; with `offline` none runs, and the command does the job itself. */
function edgesOf(lines: readonly StoreLine[], asked: Asked[], offline = false): Partial<Edges> {
  const daemon = {
    defaultDataDir: () => '/somewhere',
    openControl: () => ({
      async *lines(path: string, body: unknown) {
        if (offline) throw Object.assign(new Error('no daemon runs'), { code: 'DAEMON_NOT_RUNNING' })
        asked.push({ path, body })
        yield* lines
      },
    }),
    openOfflineStore: async () => ({ care: 'care', [Symbol.asyncDispose]: async () => void asked.push({ path: 'closed', body: undefined }) }),
    async *jobLines(care: unknown, body: unknown) {
      asked.push({ path: String(care), body })
      yield* lines
    },
  }
  return { daemon: async () => daemon as unknown as DaemonEdge }
}

const end = (document: StoreDocument): StoreLine => ({ event: 'end', document })

test('du: a table by kind, then layers, files and what is missing', async () => {
  const asked: Asked[] = []
  const ran = await runCommand(['store', 'du'], { edges: edgesOf([end(USAGE)], asked) })
  expect(asked).toEqual([{ path: '/v1/store/du', body: {} }])
  expect(ran.out.split('\n')).toEqual([
    'KIND          BLOCKS     SIZE  SHARE      OWN  OTHERS     BOTH',
    'rows           1,234  3.0 MiB    75%  1.0 MiB          2.0 MiB',
    'unreferenced       2  1.0 MiB    25%',
    'blocks 1,236, 4.0 MiB; 1.0 GiB free',
    'layers 12 known, 4 of them whole, 1 pinned, sharing saves 75%',
    'besides state.db 2.0 KiB, farm.db 1.0 KiB, a 512 B, b 256 B, the rest 192 B',
    '!      3 blocks of kept layers are not here; a running daemon fetches them',
  ])
  expect(JSON.parse((await runCommand(['store', 'du', '--json'], { edges: edgesOf([end(USAGE)], []) })).out)).toEqual(USAGE)
})

test('gc: without a daemon the command does it and closes the store; flags go along', async () => {
  const asked: Asked[] = []
  const ran = await runCommand(['store', 'gc', '--dry-run', '--grace', '2'], { edges: edgesOf([end(GC)], asked, true) })
  expect(ran).toMatchObject({ code: EXIT.ok, err: '' })
  expect(asked).toEqual([
    { path: 'care', body: { job: 'gc', dryRun: true, graceMs: 120_000 } },
    { path: 'closed', body: undefined },
  ])
  expect(ran.out.split('\n')).toEqual([
    '10 blocks deleted, 2.0 KiB; 5 kept, 512 B (0s)',
    '1 spared, 1.0 KiB: younger than 10m00s, or in use',
    '1.0 GiB free',
  ])
  expect((await runCommand(['store', 'gc', '--grace', '61'], { edges: edgesOf([], []) })).code).toBe(EXIT.usage)
})

test('gc: held back is degraded, with what to do', async () => {
  const ran = await runCommand(['store', 'gc'], { edges: edgesOf([end({ ...GC, held: 'the manifest is not here' })], []) })
  expect(ran.code).toBe(EXIT.degraded)
  expect(ran.err).toContain('nothing was deleted: the manifest is not here')
})

test('scrub: shows how far it is, names what is damaged, exits 7', async () => {
  const asked: Asked[] = []
  const reading: StoreLine = { event: 'progress', doing: 'reading', done: 500, total: 1_000, bytes: 1, damaged: 0 }
  const ran = await runCommand(['store', 'scrub', '--rate', '0.5'], { edges: edgesOf([reading, end(SCRUB)], asked) })
  expect(asked).toEqual([{ path: '/v1/store/scrub', body: { bytesPerSecond: 2 ** 19 } }])
  expect(ran.code).toBe(EXIT.disagreement)
  expect(ran.out).toContain('1,000 blocks read, 1.0 MiB in 1s, 1.0 MiB/s\n2 damaged and set aside in quarantine/: 1 fetched, 1 lost\n')
  expect(ran.out).toContain('4 blocks of kept layers were not here; 4 of them fetched')
  const sound = await runCommand(['store', 'scrub'], { edges: edgesOf([end({ ...SCRUB, damaged: [] })], []) })
  expect(sound).toMatchObject({ code: EXIT.ok })
  expect(sound.out).toContain('none is damaged')
  for (const rate of ['0', '-1', 'x'])
    expect((await runCommand(['store', 'scrub', '--rate', rate], { edges: edgesOf([], []) })).code).toBe(EXIT.usage)
})

test('a job that fails, and one that the daemon leaves', async () => {
  const failed = await runCommand(['store', 'gc'], { edges: edgesOf([{ event: 'failed', code: 'DISK_FULL', message: 'no space', hint: '' }], []) })
  expect(failed).toMatchObject({ code: EXIT.failure })
  expect(failed.err).toContain('no space')
  expect((await runCommand(['store', 'gc'], { edges: edgesOf([], []) })).code).toBe(EXIT.failure)
})
