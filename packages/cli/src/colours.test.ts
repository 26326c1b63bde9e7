import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InlineColourCompute } from '@sgsd/compute'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Interrupted } from './failure.ts'
import { documentOf, runCommand } from './fixtures/command-run.ts'
import type { ProfileRun } from './view/bench.ts'
import type { ChainDocument, ParallelDocument } from './view/chain.ts'
import type { CycleDocument, FindDocument } from './view/game.ts'
import type { RangesDocument } from './view/ranges.ts'
import type { ScaleDocument, SimulationDocument } from './view/scale.ts'

let dir: string
const at = (name: string): string => join(dir, name)

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sgsd-colours-'))
})
afterAll(() => rm(dir, { recursive: true, force: true }))

/** One line on stderr, nothing on stdout. */
async function refusal(words: readonly string[], code: number, message: RegExp, input = ''): Promise<void> {
  const ran = await runCommand(words, { input })
  expect([ran.code, ran.out], ran.err).toEqual([code, ''])
  expect(ran.err.split('\n')).toEqual([expect.stringMatching(message)])
}

describe('chain', () => {
  test('begins with the seed, or with --from at an index of its stream', async () => {
    const plain = await documentOf<ChainDocument>(['chain', '--length', '4'])
    expect(plain).toEqual({
      schema: 'sgsd.chain/1',
      seed: '0x00000000006de8a9',
      from: null,
      length: 4,
      colours: ['0x00000000006de8a9', '0xaa6ecb2790c29dba', '0x14a4806debba1e13', '0xca36c3f2235b0fc8'],
      fingerprint: '0x74fc88b8584e64c8',
      last: '0xca36c3f2235b0fc8',
    })
    const from = await documentOf<ChainDocument>(['chain', '--from', '1073741824', '--length', '1000'])
    expect([from.fingerprint, from.last, from.colours.length]).toEqual(['0x7e108788b53f15f5', '0x7262fea8f5565729', 1_000])
  })

  test('a long one is condensed on worker threads, and lists its beginning only', async () => {
    const long = await documentOf<ChainDocument>(['chain', '--length', '3000000'])
    expect(long.colours).toHaveLength(16)
    const ran = await runCommand(['chain', '--length', '3000000'])
    expect(ran.out).toContain(`${long.last}  depth 2,999,999  PLUS`)
    expect(ran.out).toContain('…')
  })

  test('parallel chains, checkpoints and challenges as published', async () => {
    const words = ['chain', '--parallel', '4', '--length', '1000', '--checkpoints', '--challenge', 'causality', '--rounds', '2']
    const document = await documentOf<ParallelDocument & { challenges: unknown }>(words)
    expect(document.chains.map(({ fingerprint }) => fingerprint)).toContain('0xf0504c6755c7fd0b')
    expect(document.checkpoints).toContainEqual({ at: 'mid', chain: 3, index: '0x00000000c00001f4', colour: '0xeec2c79ca5858f87' })
    expect(document.challenges).toEqual([
      { host: 'causality', round: 0, index: '0xf404534bc26d55eb', expected: '0x8768ec71e52ea752' },
      { host: 'causality', round: 1, index: '0x0bc472d47a5f8368', expected: '0x6babc71ee9fc9b92' },
    ])
    const eight = await documentOf<ParallelDocument>(['chain', '--parallel', '8', '--length', '1000'])
    expect([eight.combined, eight.checkpoints]).toEqual(['0xeef6b486192308f4', []])
  })

  test.each([
    [['--checkpoints'], /--checkpoints needs --parallel/],
    [['--parallel', '2', '--from', '1'], /--from does not go with it/],
    [['--length', '-1'], /whole number/],
    [['--length', '1.5'], /whole number/],
    [['--seed', '0x10000000000000000'], /below 2\^64/],
  ])('%j is refused', (words, message) => refusal(['chain', ...words], 2, message))
})

describe('colour on a terminal', () => {
  test('blocks are 24-bit ANSI there, and plain digits elsewhere', async () => {
    const words = ['chain', '--length', '1', '--seed', '0xaa6ecb2790c29dba']
    expect((await runCommand(words, { colour: true })).out).toContain('\u001B[48;2;194;157;186;')
    const plain = (await runCommand(words)).out
    expect(plain).toContain('[c29dba] 0xaa6ecb2790c29dba')
    expect(plain).not.toContain('\u001B')
  })
})

describe('bundle', () => {
  test('make, mine, run and combine, end to end', async () => {
    const made = await runCommand(['bundle', 'make', '--host', 'a,b', '--host', 'c', '--total', '3000001', '--expect', '--out', at('bundle.json')])
    expect([made.code, made.out.split('\n')[1]]).toEqual([0, expect.stringMatching(/^a +0 … 999,999 +1,000,000 +MINUS/) as string])
    expect(JSON.parse(await readFile(at('bundle.json'), 'utf8'))).toMatchObject({ expected_xor: '0x00000000257c06a8', total: '0x00000000002dc6c1' })
    expect(await documentOf(['bundle', 'mine', at('bundle.json'), '--host', 'b'])).toEqual({
      schema: 'sgsd.bundle-mine/1',
      host: 'b',
      seed: '0x00000000006de8a9',
      ranges: [{ start: '0x00000000000f4240', count: '0x00000000000f4240', polarity: 1 }],
    })
    const results = await Promise.all(
      ['a', 'b', 'c'].map(async (host) => (await runCommand(['bundle', 'run', at('bundle.json'), '--host', host])).out),
    )
    expect(results[1]).toContain('"fingerprint":"0x00000000cc6692b0"')
    for (const [place, result] of results.entries()) await writeFile(at(`${place}.json`), result)
    const combine = ['bundle', 'combine', at('bundle.json')]
    expect(await documentOf([...combine, at('0.json'), at('1.json'), at('2.json')])).toMatchObject({
      schema: 'sgsd.bundle-combine/1',
      fingerprint: '0x00000000257c06a8',
      expected_xor: '0x00000000257c06a8',
      ok: true,
    })
    expect((await runCommand([...combine, '-'], { input: results.toReversed().join('\n') })).out).toContain('✓ as expected')
    await refusal([...combine, at('0.json'), at('2.json')], 2, /no result for indices 1000000 to 1999999 of "b"/)
    const forged = results[1]!.replace('cc6692b0', 'cc6692b1')
    await refusal([...combine, at('0.json'), at('1.json'), at('2.json'), '-'], 7, /"b" disagree on the 1000000 colours/, forged)
    const wrong = await runCommand([...combine, at('0.json'), '-', at('2.json')], { input: forged })
    expect([wrong.code, wrong.out]).toEqual([7, expect.stringContaining('✗ expected 0x00000000257c06a8') as string])
  })

  test('the older decimal form is read, exactly', async () => {
    const decimal =
      '{"seed": 7202985, "ranges": [{"host": "solo", "start": 0, "count": 1000, "polarity": 0}], "total": 1000, "expected_xor": 207129478}'
    const run = await runCommand(['bundle', 'run', '-', '--host', 'solo'], { input: decimal })
    expect(run.out).toContain('"fingerprint":"0x000000000c588b86"')
    await writeFile(at('decimal.json'), decimal)
    expect(await documentOf(['bundle', 'combine', at('decimal.json'), '-'], { input: run.out })).toMatchObject({ ok: true })
  })

  test('--json of make is the bundle with its schema, and the bundle alone is what stands on stdout', async () => {
    const words = ['bundle', 'make', '--range', 'a:0:10', '--range', 'b:10:0x5', '--seed', '1']
    const plain = JSON.parse((await runCommand(words)).out) as object
    expect(plain).toMatchObject({ total: '0x000000000000000f', expected_xor: null })
    expect(await documentOf(words)).toEqual({ schema: 'sgsd.bundle/1', ...plain })
  })

  test.each([
    [['make'], /either --host with --total, or --range/],
    [['make', '--host', 'a'], /--host needs --total/],
    [['make', '--host', 'a,a', '--total', '5'], /host "a" is there twice/],
    [['make', '--host', 'a', '--total', '-5'], /below 2\^64/],
    [['make', '--host', 'a', '--total', '1.5'], /below 2\^64/],
    [['make', '--host', 'a', '--total', '5', '--seed', '18446744073709551616'], /below 2\^64/],
    [['make', '--range', 'a:0:10', '--range', 'b:5:10'], /the ranges of "a" and "b" overlap at index 5/],
    [['make', '--range', 'a:0:10', '--range', 'b:15:10'], /indices 10 to 14, between "a" and "b", belong to nobody/],
    [['make', '--range', 'a:0:18446744073709551615', '--range', 'b:18446744073709551615:9'], /more than 2\^64/],
    [['make', '--range', 'a:0'], /host:start:count is needed/],
    [['make', '--range', 'a:0:-1'], /below 2\^64/],
    [['mine', '/no/such/file'], /cannot read \/no\/such\/file: there is no such file/],
    [['combine', '-', '-'], /only once/],
  ])('%j is refused', (words, message) => refusal(['bundle', ...words], 2, message))

  const damaged = (ranges: string): string => `{"seed":1,"ranges":[${ranges}],"total":20,"expected_xor":null}`
  test.each([
    ['not JSON', /it is not JSON/],
    [damaged('{"host":"a","start":0,"count":15,"polarity":0},{"host":"b","start":10,"count":5,"polarity":1}'), /"a" and "b" overlap at index 10/],
    [damaged('{"host":"a","start":0,"count":5,"polarity":0},{"host":"b","start":10,"count":15,"polarity":1}'), /indices 5 to 9, between "a" and "b"/],
    [damaged('{"host":"a","start":0,"count":20,"polarity":0}'), /nothing for "me": it is for "a"/],
  ])('a bundle that is no use here: %s', (text, message) => refusal(['bundle', 'run', '-', '--host', 'me'], 2, message, text))
})

describe('bench', () => {
  test.each([
    ['fearless-128', '1000000', 1_000_000, '0x00000000f6f70169'],
    ['fearless-256', '1000000', 1_000_000, '0x00000000f6f70169'],
    ['ultra', '1000000', 999_936, '0x000000007c8b2f9d'],
    ['mammoth', '1000000', 999_424, '0x00000000c3d58db2'],
    ['gigafearless', '3000000', 2_999_808, '0x595959592eba9fc4'],
    ['teratriadic', '3000000', 3_000_000, '0x5959595989a0b1ab'],
    ['gigastream', '4800000', 4_800_000, '0x59595959cbf68317'],
  ])('%s of %s colours is as published', async (profile, asked, count, fingerprint) => {
    const { profiles } = await documentOf<{ profiles: ProfileRun[] }>(['bench', '--profile', profile, '--count', asked])
    expect(profiles.map((run) => [Number(run.count), Number(run.dropped), run.fingerprint, run.best])).toEqual([
      [count, Number(asked) - count, fingerprint, true],
    ])
  })

  test('gigafearless shows each part', async () => {
    const words = ['bench', '--profile', 'gigafearless', '--count', '3000000', '--seed', '0x6761795f636f6c6f']
    const { profiles } = await documentOf<{ profiles: ProfileRun[] }>(words)
    expect(profiles[0]!.fingerprints).toEqual(['0x4a4c547260d4ff94', '0x383e2600c36a1547', '0x4c4a527416cad20c'])
  })

  test('engines: a row for each kernel, and exit 7 when one is wrong', async () => {
    const document = await documentOf<{ engines: object[] }>(['bench', '--ms', '20'])
    expect(document).toMatchObject({ schema: 'sgsd.bench/1' })
    expect(document.engines.map((row) => Object.keys(row).sort())).toEqual(
      Array.from({ length: 2 }, () => ['coloursPerSecond', 'engine', 'fingerprint', 'kernel', 'ok', 'ratioToFastest', 'threads']),
    )
    class Wrong extends InlineColourCompute {
      override async benchEngines(): ReturnType<InlineColourCompute['benchEngines']> {
        return [
          { engine: 'wrong', kernel: 'spi64', threads: 1, coloursPerSecond: 2e9, fingerprint: '0x0000000000000bad', ok: false, ratioToFastest: 1 },
        ]
      }
    }
    const ran = await runCommand(['bench'], { edges: { colours: async () => new Wrong() } })
    expect([ran.code, ran.out]).toEqual([7, expect.stringMatching(/wrong +spi64 +1 +2\.000 +1\.00 +\[000bad\] +0x0000000000000bad +✗/) as string])
  })

  test.each([
    [['--profile', 'turbo'], /Allowed choices are/],
    [['--count', '5'], /--count needs --profile/],
    [['--profile', 'ultra', '--ms', '50'], /--ms does not go with --profile/],
    [['--profile', 'ultra', '--count', '511'], /do not fill the lanes/],
    [['--profile', 'ultra', '--count', '-1'], /below 2\^64/],
    [['--profile', 'ultra', '--count', '0.5'], /below 2\^64/],
  ])('%j is refused', (words, message) => refusal(['bench', ...words], 2, message))
})

describe('scale', () => {
  test('predicts the published sizes, with the published figures marked as such', async () => {
    const { rows, inputs } = await documentOf<ScaleDocument>(['scale', '--rate', '2.03e9'])
    expect(rows.map(({ machines }) => machines)).toEqual([1, 2, 3, 10, 34, 1_000, 1_000_000])
    expect(rows.map(({ published }) => published?.what ?? null)).toEqual(['measured', null, null, null, 'goal', null, null])
    expect(inputs.rate).toBe(2.03e9)
    // a claim is at most 400 bytes on gossip, without what the links add
    expect(inputs.claimBytes).toBeGreaterThan(300)
    expect(inputs.claimBytes).toBeLessThan(400 + 180)
    const { out } = await runCommand(['scale', '--rate', '2.03e9', '--machines', '1,34'])
    expect(out).toMatch(/PUBLISHED[\s\S]*2\.03 G\/s measured[\s\S]*10 G\/s goal/)
    expect((await runCommand(['scale', '--rate', '2.03e9', '--machines', '1000,1000000'])).out).toMatch(
      /1,000 .* 540ms [\s\S]*1,000,000! .* 0\.54ms /,
    )
  })

  test('measures the rate where none is said', async () => {
    const { inputs, rateOrigin } = await documentOf<ScaleDocument>(['scale', '--machines', '2'])
    expect(inputs.rate).toBeGreaterThan(1e6)
    expect(rateOrigin).toBe('measured here: reference on 1 thread')
  })

  test.each([1, 2, 34, 1_000])('a simulation of %d machines holds every law', async (machines) => {
    const report = await documentOf<SimulationDocument>(['scale', '--simulate', String(machines)])
    expect(report).toMatchObject({
      schema: 'sgsd.scale-simulation/1',
      machines,
      ok: true,
      tree: { messagesUp: machines - 1, messagesDown: machines - 1 },
    })
    expect(report.checks.length).toBeGreaterThanOrEqual(9)
  })

  test.each([
    [['--simulate', '0'], /whole number from 1 to 1000000/],
    [['--simulate', '1000001'], /whole number from 1 to 1000000/],
    [['--simulate', '3', '--rate', '5'], /--rate does not go with --simulate/],
    [['--chunks', '3'], /--chunks needs --simulate/],
    [['--rate', '-1'], /colours per second are needed/],
    [['--rate', 'NaN'], /colours per second are needed/],
    [['--machines', '1,2.5'], /whole number/],
    [['--rate', '1', '--epoch-colours', '5'], /whole number of chunks/],
  ])('%j is refused', (words, message) => refusal(['scale', ...words], 2, message))
})

describe('ranges', () => {
  const roster = ['--host', 'causality:128:40:400', '--host', 'hatchery:64:48:800', '--host', '2-monad:16:10:100']

  test('by capability and in three polarities as published, beside the partition of a mesh', async () => {
    const document = await documentOf<RangesDocument>(['ranges', ...roster])
    const numbers = ({ start, count }: { start: string; count: string }): number[] => [Number(start), Number(count)]
    expect(
      document.hosts.map(({ host, score, capability, tripartite }) => [host, score, numbers(capability), tripartite.polarity, numbers(tripartite)]),
    ).toEqual([
      ['causality', 1_880, [344_041_307, 2_086_444_061], 0, [0, 2_086_444_061]],
      ['hatchery', 1_680, [2_430_485_368, 1_864_481_926], 1, [2_086_444_061, 1_864_481_926]],
      ['2-monad', 310, [0, 344_041_307], 2, [3_950_925_987, 344_041_307]],
    ])
    expect(Number(document.uncovered)).toBe(2)
    expect(document.hosts.reduce((sum, { mesh }) => sum + mesh.count, 0)).toBe(document.epochChunks)
    const { out } = await runCommand(['ranges', ...roster])
    expect(out).toContain('sgsd up discovers the members and mines')
  })

  test('hosts come from a file too, as objects or as lists', async () => {
    await writeFile(
      at('hosts.json'),
      JSON.stringify([{ name: 'causality', memoryGb: 128, cores: 40, bandwidthGbps: 400 }, ['hatchery', 64, 48, 800]]),
    )
    const words = ['ranges', '--hosts', at('hosts.json'), '--host', '2-monad:16:10:100']
    expect(await documentOf(words)).toEqual(await documentOf(['ranges', ...roster]))
  })

  test.each([
    [[], /at least one host/],
    [['--host', 'a:0:0:0'], /the host has zero capability/],
    [['--host', 'a:0:0:0', '--host', 'b:0:0:0'], /all 2 hosts have zero capability/],
    [['--host', 'a:1:1:1', '--host', 'a:1:1:1'], /host "a" is there twice/],
    [['--host', 'a:-1:1:1'], /numbers from 0/],
    [['--host', 'a:NaN:1:1'], /numbers from 0/],
    [['--host', 'a:1::1'], /numbers from 0/],
    [['--host', 'a'], /name:memory:cores:bandwidth/],
    [['--hosts', '-'], /it is not JSON/],
    [['--host', 'a:1:1:1', '--mesh-id', 'x'], /64 hex digits/],
    [['--host', 'a:1:1:1', '--epoch-colours', '7'], /whole number of chunks/],
  ])('%j is refused', (words, message) => refusal(['ranges', ...words], 2, message))
})

describe('games', () => {
  test('furthest and fixed points as in the vectors', async () => {
    const furthest = await documentOf<{ found: FindDocument }>(['game', 'furthest', '--count', '100000'])
    expect(furthest.found).toEqual({ index: '0x0000000000013906', colour: '0x1b85b1f54559c82b', distance: 14 })
    const { nearest } = await documentOf<{ nearest: FindDocument[] }>(['game', 'fixed-point', '--count', '200000', '--top', '2'])
    expect(nearest).toEqual([
      { index: '0x000000000001751c', colour: '0xb29a7eb315a53ea9', distance: 14 },
      { index: '0x000000000001303d', colour: '0xaa2c0f9df062eb62', distance: 16 },
    ])
  })

  test('cycles of reduced width are found; of full width the bound is reached, and the reason said', async () => {
    const { cycles } = await documentOf<{ cycles: CycleDocument[] }>(['game', 'cycle', '--width', '20', '--starts', '2'])
    expect(cycles[0]).toMatchObject({ found: true, tail: 1_487, length: 512, entry: '0x00000000000ede98' })
    const ran = await runCommand(['game', 'cycle', '--max-steps', '1000'])
    expect(ran.out).toContain('none in 1,000 steps, at 0x1fbd637d9b594539')
    expect(ran.out).toContain('bijection')
  })

  test.each([
    [['furthest', '--count', '0'], /nothing to look at/],
    [['furthest', '--count', '-3'], /below 2\^64/],
    [['fixed-point', '--top', '0'], /whole number/],
    [['cycle', '--width', '65'], /whole number from 1 to 64/],
    [['cycle', '--max-steps', '1e6'], /whole number/],
  ])('%j is refused', (words, message) => refusal(['game', ...words], 2, message))
})

describe('disguise', () => {
  const encode = ['game', 'disguise', 'encode']
  const decode = ['game', 'disguise', 'decode']

  test('what was hidden comes back, from a text or a pipe', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }),
        fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        async (message, key) => {
          const hidden = await documentOf<{ publicXor: object }>([...encode, '-', '--key', String(key)], { input: message })
          expect(hidden.publicXor).toEqual({ seed: '0x00000000006de8a9', before: '0x9821d39023fdf7c8', after: '0x9821d39023fdf7c8', intact: true })
          const found = await documentOf<{ message: string }>([...decode, '-', '--key', String(key)], { input: JSON.stringify(hidden) })
          expect(found.message).toBe(message)
        },
      ),
      { numRuns: 8 },
    )
  })

  test('three files, one for each holder: any two are enough, a wrong one is named', async () => {
    const ran = await runCommand([...encode, 'meet at noon', '--key', '7', '--out', at('s')])
    expect([ran.code, ran.err]).toEqual([0, 'public XOR 0x9821d39023fdf7c8 before, 0x9821d39023fdf7c8 after: intact'])
    const files = ['minus', 'ergodic', 'plus'].map((name) => at(`s.${name}.json`))
    expect((await stat(files[0]!)).mode & 0o777).toBe(0o600)
    for (const two of [files.slice(1), files.slice(0, 2), [files[2]!, files[0]!]]) {
      expect((await runCommand([...decode, ...two, '--key', '7'])).out).toBe('meet at noon')
    }
    const text = await readFile(files[2]!, 'utf8')
    const wrong = text.replace(/"blocks":\["0x(.)/, (whole, digit: string) => whole.slice(0, -1) + (digit === '0' ? '1' : '0'))
    await refusal([...decode, files[0]!, files[1]!, '-', '--key', '7'], 7, /PLUS wrong {2}→ {2}leave PLUS out/, wrong)
    await refusal([...decode, files[0]!, files[1]!, '--key', '8'], 7, /no share fits this key/)
  })

  test.each([
    [[...encode, 'x'], /--key/],
    [[...encode, 'x', '--key', 'secret'], /below 2\^64/],
    [[...decode, '-', '--key', '1'], /not a share: there is nothing in it/],
    [[...decode, '/no/file', '--key', '1'], /there is no such file/],
  ])('%j is refused', (words, message) => refusal(words, 2, message))

  test('one share is too few, and one twice is one', async () => {
    const { out } = await runCommand([...encode, 'x', '--key', '1'])
    const [first] = out.split('\n')
    await refusal([...decode, '-', '--key', '1'], 2, /at least two/, first)
    await refusal([...decode, '-', '--key', '1'], 2, /there twice/, `${first}\n${first}`)
  })
})

test.each([
  [['chain', '--length', '900000000000000']],
  [['chain', '--parallel', '4', '--length', '900000000000']],
  [['game', 'furthest', '--count', '2^60']],
  [['game', 'fixed-point', '--count', '2^60']],
  [['game', 'cycle', '--max-steps', '900000000000000']],
  [['bench', '--profile', 'ultra', '--count', '2^50']],
  [['bench', '--profile', 'gigastream', '--count', '2^50']],
  [['bundle', 'make', '--host', 'a', '--total', '2^60', '--expect']],
  [['scale', '--simulate', '1000000']],
])('%j ends soon on Ctrl-C, with 130 and without a word', async (words) => {
  const stopping = new AbortController()
  setTimeout(() => stopping.abort(new Interrupted('SIGINT')), 300)
  const began = performance.now()
  const ran = await runCommand(words, { signal: stopping.signal })
  expect([ran.code, ran.out, ran.err]).toEqual([130, '', ''])
  expect(performance.now() - began).toBeLessThan(6_000)
})

test('long work says how far it is where there is no terminal', async () => {
  const stopping = new AbortController()
  setTimeout(() => stopping.abort(new Interrupted('SIGINT')), 5_600)
  const ran = await runCommand(['game', 'furthest', '--count', '2^40'], { signal: stopping.signal })
  expect(ran.code).toBe(130)
  expect(ran.err.split('\n')[0]).toMatch(/^furthest {2} +\d+% {2}[\d.]+ M\/s {2}ETA \d+/)
})
