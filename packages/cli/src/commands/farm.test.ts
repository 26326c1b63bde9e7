import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FarmDocument } from '@sgsd/daemon'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DaemonEdge } from '../edges.ts'
import { type Ran, runCommand, type RunOptions } from '../fixtures/command-run.ts'
import { sampleStatus } from '../fixtures/status.ts'

const FARM: FarmDocument = {
  schema: 'sgsd.farm-status/1',
  state: 'farming',
  why: '',
  host: 'next-line',
  retryMs: null,
  lines: 1_000,
  total: 4_000,
  left: 3_000,
  leftUpTo: 0,
  uncommittedUpTo: 0,
  linesPerSecond: 250,
  etaMs: 12_000,
  meanScore: 0.125,
  layers: 3,
  texts: [
    { name: 'poems.txt', state: 'farming', lines: 3_500, farmed: 900, unknown: 12, bytes: 70_000, shared: false },
    { name: 'half.txt', state: 'broken off', lines: 500, farmed: 100, unknown: 0, bytes: 9_000, shared: true },
  ],
  dir: null,
}

let root: string
/** What was sent: path and query, text. */
let sent: [string, string][]
let posted: unknown[][]

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sgsd-cli-farm-'))
  await mkdir(join(root, 'texts/tang'), { recursive: true })
  const files = { 'texts/b.txt': '地\n', 'texts/tang/a.TXT': '天\n', 'texts/a.txt': '玄\n', 'texts/notes.md': '黃\n', 'gb.txt': 'refuse' }
  for (const [name, text] of Object.entries(files)) await writeFile(join(root, name), text)
  await mkdir(join(root, 'empty'))
})

afterAll(() => rm(root, { recursive: true, force: true }))

function run(words: readonly string[], options: RunOptions = {}, farm: readonly FarmDocument[] = [FARM]): Promise<Ran> {
  sent = []
  posted = []
  let asked = 0
  const control = {
    get: async (path: string) => (path.startsWith('/v1/farm') ? farm[Math.min(asked++, farm.length - 1)] : sampleStatus()),
    post: async (...call: unknown[]) => (posted.push(call.slice(0, 2)), { ok: true }),
    send: async (path: string, text: AsyncIterable<Uint8Array>) => {
      const pieces: Uint8Array[] = []
      for await (const piece of text) pieces.push(piece)
      const body = Buffer.concat(pieces).toString('utf8')
      if (body === 'refuse')
        throw Object.assign(new Error('gb.txt is not UTF-8: at byte offset 0, in line 1'), {
          code: 'REFUSED',
          reason: 'TEXT_NOT_UTF8',
          hint: 'iconv',
        })
      sent.push([path, body])
      return { schema: 'sgsd.farm/1', name: 'x', lines: 4, taken: 3, known: 1, turn: sent.length }
    },
  }
  const daemon = async (): Promise<DaemonEdge> => ({ defaultDataDir: () => '/d', openControl: () => control }) as unknown as DaemonEdge
  return runCommand(words, { ...options, edges: { daemon } })
}

describe('sgsd farm', () => {
  test('sends the .txt files of a folder in the order of their paths', async () => {
    const ran = await run(['farm', join(root, 'texts'), '--json'])
    expect(ran.code).toBe(0)
    expect(sent).toEqual([
      ['/v1/farm?name=texts%2Fa.txt&shared=0&again=0', '玄\n'],
      ['/v1/farm?name=texts%2Fb.txt&shared=0&again=0', '地\n'],
      ['/v1/farm?name=texts%2Ftang%2Fa.TXT&shared=0&again=0', '天\n'],
    ])
    expect(JSON.parse(ran.out)).toMatchObject({ schema: 'sgsd.farm/1', lines: 12, taken: 9, known: 3, refused: [], layers: 12 })
  })

  test('sends standard input and flags', async () => {
    const ran = await run(['farm', '-', '--shared', '--again', '--no-wait'], { input: '天地\n' })
    expect(sent).toEqual([['/v1/farm?name=stdin&shared=1&again=1', '天地\n']])
    expect(ran).toMatchObject({ code: 0, out: '3 lines taken' })
  })

  test('waits until its texts are learned and committed, and says what holds it up', async () => {
    const waiting = { ...FARM, leftUpTo: 8, why: 'the http host does not answer' }
    const ran = await run(['farm', join(root, 'texts/a.txt')], {}, [waiting, { ...FARM, uncommittedUpTo: 8 }, FARM])
    expect(ran.code).toBe(0)
    expect(ran.err).toContain('! the http host does not answer  →  sgsd farm resume')
    expect(ran.out).toMatch(/^3 lines farmed, mean score 0\.137, 12 layers, newest abababababab$/)
  })

  test('names a text that is refused, farms the others, and fails', async () => {
    const ran = await run(['farm', join(root, 'gb.txt'), join(root, 'texts/a.txt')])
    expect(ran.code).toBe(1)
    expect(sent).toHaveLength(1)
    expect(ran.err).toMatch(/! gb\.txt is not UTF-8: at byte offset 0, in line 1 {2}→ {2}iconv[\s\S]*1 of 2 texts were refused/)
    const json = await run(['farm', join(root, 'gb.txt'), join(root, 'texts/a.txt'), '--json'])
    expect(json.code).toBe(1)
    expect(JSON.parse(json.out)).toMatchObject({ refused: [{ name: 'gb.txt', code: 'TEXT_NOT_UTF8' }] })
    expect(await run(['farm', join(root, 'gb.txt')])).toMatchObject({ code: 1, out: '', err: expect.stringMatching(/^sgsd: gb\.txt is not UTF-8/) })
  })

  test.each([
    ['nowhere.txt', 1, /cannot read .*nowhere\.txt: there is no such file/],
    ['empty', 1, /empty holds no \.txt file/],
  ])('%s: exit %i', async (name, code, message) => {
    expect(await run(['farm', join(root, name)])).toMatchObject({ code, err: expect.stringMatching(message) })
    expect(sent).toEqual([])
  })

  test('status: what is done, what is left, and every text', async () => {
    const { out } = await run(['farm', 'status'])
    expect(out).toMatch(/^farming {2}1,000 of 4,000 lines, 250 lines\/s, ETA 12s\nhost {3}next-line, mean score 0\.125, 3 layers\nTEXT/)
    expect(out).toMatch(/poems\.txt +farming +3,500 +26% +12 +68\.4 KiB/)
    expect(out).toMatch(/half\.txt +broken off +500 +20% .* yes/)
    expect(JSON.parse((await run(['farm', 'status', '--json'])).out)).toEqual(FARM)
  })

  test('status: a host that does not answer, and a watched folder', async () => {
    const held: FarmDocument = {
      ...FARM,
      state: 'waiting',
      why: 'the http host does not answer',
      retryMs: 4_000,
      etaMs: null,
      dir: { path: '/texts', files: 3, waiting: 1, errors: [{ file: 'texts/gb.txt', message: 'texts/gb.txt is not UTF-8', hint: 'iconv' }] },
    }
    const { out } = await run(['farm', 'status'], {}, [held])
    expect(out).toContain(
      'asked again in 4s\n!      the http host does not answer\nfolder /texts: 3 text files, 1 to take\n!      texts/gb.txt is not UTF-8  →  iconv',
    )
  })

  test.each(['pause', 'resume'])('%s', async (action) => {
    expect(await run(['farm', action])).toMatchObject({ code: 0, out: action === 'pause' ? 'paused' : 'farming' })
    expect(posted).toEqual([['/v1/farm/action', { action }]])
  })
})
