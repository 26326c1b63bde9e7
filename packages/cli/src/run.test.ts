import { configSchema } from '@sgsd/daemon'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Context } from './context.ts'
import type { ControlClient, DaemonEdge, Edges } from './edges.ts'
import { EXIT } from './exit-code.ts'
import { CliError, Interrupted } from './failure.ts'
import { sampleStatus } from './fixtures/status.ts'
import { buildProgram } from './program.ts'
import { runCommandLine } from './run.ts'
import { styleOf } from './text/style.ts'

/** What a command printed. */
let out: string[]
let err: string[]
/** Calls of the control API: method, path, body. */
let calls: unknown[][]
let answers: Record<string, unknown>
let input: string

const control: ControlClient = {
  get: (path) => answer('GET', path),
  post: (path, body) => answer('POST', path, body),
  lines: async function* <T>(path: string, body: unknown) {
    yield* await answer<readonly T[]>('POST', path, body)
  },
  send: (path) => answer('POST', path),
  sendBytes: (path) => answer('POST', path),
  bytes: (path) => answer('GET', path),
  events: async function* () {
    yield { at: '2026-01-01T00:00:00.000Z', event: 'layer:committed', layer: 'ab', radicals: 1, rows: 2, meanScore: 0.5 }
    yield { at: '2026-01-01T00:00:01.000Z', event: 'warning', message: 'x' }
  },
}

async function answer<T>(method: string, path: string, body?: unknown): Promise<T> {
  calls.push(body === undefined ? [method, path] : [method, path, body])
  const found = answers[path]
  if (found instanceof Error) throw found
  if (found === undefined) throw Object.assign(new Error('no daemon runs on /d'), { code: 'DAEMON_NOT_RUNNING', hint: 'sgsd up' })
  return found as T
}

const edges: Edges = {
  daemon: async () =>
    ({
      configSchema,
      defaultDataDir: () => '/default',
      openControl: (dir: string) => {
        calls.push(['open', dir])
        return control
      },
      initDataDir: async (dir: string, options: unknown) => {
        calls.push(['init', dir, options])
        return { peerId: '12D3KooWx', meshId: 'ab'.repeat(32), meshName: 'grove', admission: 'key', dataDir: dir }
      },
      joinMesh: async (dir: string, invite: string) => {
        calls.push(['join', dir, invite])
        return { peerId: '12D3KooWx', meshId: 'ab'.repeat(32), meshName: 'grove', admission: 'key', dataDir: dir, via: '12D3KooWy' }
      },
    }) as unknown as DaemonEdge,
  colours: () => Promise.reject(new Error('not in this test')),
  games: () => Promise.reject(new Error('not in this test')),
  joins: () => Promise.reject(new Error('not in this test')),
  lattice: () => Promise.reject(new Error('not in this test')),
}

function context(signal: AbortSignal = new AbortController().signal): Context {
  return {
    terminal: {
      env: {},
      out: styleOf(0),
      err: styleOf(0),
      outLive: false,
      errLive: false,
      columns: () => 100,
      rows: () => 24,
      print: (line) => out.push(line),
      note: (line) => err.push(line),
      writeOut: (text) => out.push(text),
      writeErr: (text) => err.push(text),
      readInput: async () => input,
      inputBytes: async function* () {},
    },
    edges,
    signal,
    version: '9.8.7',
    exitCode: EXIT.ok,
  }
}

const run = (...words: string[]): Promise<number> => runCommandLine(words, context())

beforeEach(() => {
  out = []
  err = []
  calls = []
  answers = { '/v1/status': sampleStatus() }
  input = ''
})

describe('usage', () => {
  test.each([
    [['stauts'], "sgsd: unknown command 'stauts' (did you mean status?)"],
    [['status', '--wach'], "sgsd: unknown option '--wach' (did you mean --watch?)"],
    [['frobnicate'], /^sgsd: unknown command 'frobnicate' {2}→ {2}sgsd --help$/],
    [['ask'], /^sgsd: missing required argument 'text'/],
    [['status', 'extra'], /^sgsd: too many arguments/],
    [['ask', '人', '-k', '0'], /^sgsd: .*a whole number from 1 to 200 is needed/],
    [['init', '--seed', 'x'], /^sgsd: .*a number below 2\^64 is needed/],
    [['init', '--epoch-colours', '2^64'], /^sgsd: .*a number below 2\^64 is needed/],
    [['color', 'blue'], /^sgsd: .*a number below 2\^64 is needed/],
    [['demo', '--nodes', '9'], /^sgsd: .*a whole number from 2 to 8 is needed/],
    [['up', '--log-level', 'loud'], /^sgsd: .*Allowed choices are trace/],
    [['config', 'get', 'colour'], /^sgsd: there is no configuration field colour {2}→/],
    [['completion', 'tcsh'], /^sgsd: .*Allowed choices are bash, zsh, fish/],
  ])('%j is one line on stderr and exit 2', async (words, message) => {
    expect(await run(...words)).toBe(EXIT.usage)
    expect(out).toEqual([])
    expect(err).toEqual([message instanceof RegExp ? expect.stringMatching(message) : message])
  })

  test('help and version go to stdout with exit 0; a group without a command is usage', async () => {
    expect(await run('--version')).toBe(EXIT.ok)
    expect(out).toEqual(['9.8.7'])
    expect(await run('--help')).toBe(EXIT.ok)
    expect(await run('peer', 'show', '--help')).toBe(EXIT.ok)
    expect(out.join('\n')).toMatch(/Exit codes:[\s\S]*sgsd peer show boreas/)
    expect(err).toEqual([])
    expect(await run('mine')).toBe(EXIT.usage)
    expect(await run()).toBe(EXIT.usage)
  })

  test('every command that does something has an example, --json, and a summary', () => {
    const leaves = (command: ReturnType<typeof buildProgram>): (typeof command)[] =>
      command.commands.length === 0 ? [command] : command.commands.flatMap((child) => leaves(child))
    for (const leaf of leaves(buildProgram(context()))) {
      if (leaf.name() === 'help') continue
      let help = ''
      leaf.configureOutput({ writeOut: (text) => (help += text) })
      leaf.outputHelp()
      expect(help, leaf.name()).toMatch(/\nExamples:\n +(\w+=\S+ |sudo |cat .* )?(sgsd|source)/)
      expect(leaf.summary(), leaf.name()).not.toBe('')
      if (leaf.name() !== 'completion') expect(help, leaf.name()).toContain('--json')
    }
  })
})

describe('data directory', () => {
  test.each([
    [['status', '--data-dir', '/d'], '/d'],
    [['--data-dir', '/d', 'status'], '/d'],
    [['mine', 'status', '--data-dir=/d'], '/d'],
    [['status'], '/default'],
  ])('%j works on %s', async (words, dir) => {
    expect(await run(...words)).toBe(EXIT.ok)
    expect(calls[0]).toEqual(['open', dir])
  })
})

describe('commands', () => {
  test('no daemon: exit 3, one line, the next command', async () => {
    answers = {}
    expect(await run('status')).toBe(EXIT.notRunning)
    expect(err).toEqual(['sgsd: no daemon runs on /d  →  sgsd up'])
    expect(await run('status', '--json')).toBe(EXIT.notRunning)
    expect(JSON.parse(err[1]!)).toEqual({ schema: 'sgsd.error/1', code: 'DAEMON_NOT_RUNNING', message: 'no daemon runs on /d', hint: 'sgsd up' })
    expect(out).toEqual([])
  })

  test('status prints the document untouched with --json, and --check exits 4 when degraded', async () => {
    expect(await run('status', '--json', '--check')).toBe(EXIT.ok)
    expect(JSON.parse(out[0]!)).toEqual(sampleStatus())
    answers = { '/v1/status': sampleStatus({ warnings: [{ message: 'the disk is full', hint: 'free some space' }] }) }
    expect(await run('status')).toBe(EXIT.ok)
    expect(await run('status', '--check')).toBe(EXIT.degraded)
    expect(out.join('\n')).toContain('! the disk is full   →  free some space')
  })

  test('ask sends the text, from arguments or standard input', async () => {
    answers['/v1/ask'] = {
      schema: 'sgsd.ask/1',
      text: '天地',
      nearest: [{ character: '玄', value: 0.5, definition: 'deep, profound' }],
      known: ['天', '地'],
      unknown: ['x'],
      steps: 9,
      converged: true,
      provider: 'wasm',
      layer: '',
      consensus: 'cd'.repeat(32),
    }
    input = '天地\n'
    expect(await run('ask', '-', '-k', '3')).toBe(EXIT.ok)
    expect(calls).toContainEqual(['POST', '/v1/ask', { text: '天地', k: 3 }])
    expect(out.join('\n')).toMatch(/玄 +0\.5000 +█+ +deep, profound[\s\S]*unknown +x[\s\S]*consensus +\[cdcdcd\]/)
    input = ' \n'
    expect(await run('ask', '-')).toBe(EXIT.usage)
  })

  test('a text without a known character is the daemon’s to refuse: exit 1', async () => {
    answers['/v1/ask'] = Object.assign(new Error('the lattice knows no character of this text'), {
      code: 'REFUSED',
      reason: 'TEXT_UNKNOWN',
      hint: 'ask with Chinese characters',
    })
    expect(await run('ask', 'hello')).toBe(EXIT.failure)
    expect(err).toEqual(['sgsd: the lattice knows no character of this text  →  ask with Chinese characters'])
  })

  test('init passes on what it was told', async () => {
    expect(
      await run(
        'init',
        '--mesh',
        'oak',
        '--name',
        'atlas',
        '--open',
        '--seed',
        '0x2a',
        '--epoch-colours',
        '2^21',
        '--fold',
        'mean',
        '--port',
        '0',
        '--data-dir',
        'a b',
      ),
    ).toBe(EXIT.ok)
    expect(calls).toEqual([
      ['init', 'a b', { meshName: 'oak', name: 'atlas', open: true, seed: 42n, epochColours: 2_097_152n, fold: 'mean/1', port: 0 }],
    ])
    expect(err).toEqual(["→  sgsd up --data-dir 'a b'"])
  })

  test('init founds an evidence mesh unless told otherwise, and knows no other fold', async () => {
    expect(await run('init', '--data-dir', 'a')).toBe(EXIT.ok)
    expect(calls).toEqual([['init', 'a', { fold: 'evidence/1' }]])
    expect(await run('init', '--fold', 'mode', '--data-dir', 'b')).toBe(EXIT.usage)
  })

  test('join asks a running daemon first, else enters by itself; - reads the invite', async () => {
    input = '\n/ip4/1.2.3.4/tcp/1/p2p/x#s\n'
    expect(await run('join', '-', '--json')).toBe(EXIT.ok)
    expect(calls.slice(1)).toEqual([
      ['POST', '/v1/join', { invite: '/ip4/1.2.3.4/tcp/1/p2p/x#s' }],
      ['join', '/default', '/ip4/1.2.3.4/tcp/1/p2p/x#s'],
    ])
    expect(JSON.parse(out[0]!)).toMatchObject({ schema: 'sgsd.join/1', meshName: 'grove', peer: '12D3KooWy' })
    answers['/v1/join'] = { schema: 'sgsd.join/1', meshId: 'ab'.repeat(32), meshName: 'grove', peer: '12D3KooWz' }
    calls = []
    expect(await run('join', 'x')).toBe(EXIT.ok)
    expect(calls.map(([what]) => what)).toEqual(['open', 'POST'])
    answers['/v1/join'] = Object.assign(new Error('no'), { code: 'REFUSED', reason: 'INVITE_INVALID' })
    expect(await run('join', 'x')).toBe(EXIT.usage)
  })

  test('events are filtered by noun', async () => {
    expect(await run('events', '--only', 'layer')).toBe(EXIT.ok)
    expect(out.map((line) => (JSON.parse(line) as { event: string }).event)).toEqual(['layer:committed'])
  })

  test('peers are found by name and by either end of their id, or not at all', async () => {
    const flora = sampleStatus().peers.find(({ name }) => name === 'flora')!.peerId
    answers[`/v1/trust?peer=${flora}`] = {
      schema: 'sgsd.peer-trust/1',
      peerId: flora,
      excluded: null,
      windows: [],
      offences: 0,
      proofs: [],
      equivocations: [],
      probation: true,
      goodEpochs: 3,
      audited: 0,
      failed: 0,
      samplesPerEpoch: 192,
      detection: [],
      weight: null,
      receipts: [],
    }
    expect(await run('peer', 'show', 'FQ3s')).toBe(EXIT.ok)
    expect(out[0]).toContain('flora')
    expect(out).toContainEqual(expect.stringMatching(/^standing +member$/))
    expect(await run('peer', 'show', 'nobody')).toBe(EXIT.failure)
    expect(await run('peer', 'show', '12D3')).toBe(EXIT.usage)
    expect(err.at(-1)).toMatch(/may be atlas .* or boreas/)
  })

  test('colours: decimal, hex and powers; the low 24 bits are shown', async () => {
    expect(await run('color', '69', '--seed', '0', '--json')).toBe(EXIT.ok)
    expect(JSON.parse(out[0]!)).toMatchObject({
      schema: 'sgsd.color/1',
      seed: '0x0000000000000000',
      colours: [{ index: '0x0000000000000045', colour: '0x9e60398c8d8553c0', rgb: [133, 83, 192] }],
    })
  })

  test('Ctrl-C is exit 130 without a word', async () => {
    const stopping = new AbortController()
    answers = {}
    stopping.abort(new Interrupted('SIGINT'))
    expect(await runCommandLine(['status'], context(stopping.signal))).toBe(EXIT.interrupted)
    expect(err).toEqual([])
  })

  test('a coded error keeps its exit code', async () => {
    answers['/v1/status'] = new CliError('GENESIS_DAMAGED', 'genesis.bin is\ndamaged', 78, 'join again')
    expect(await run('status')).toBe(EXIT.configuration)
    expect(err).toEqual(['sgsd: genesis.bin is damaged  →  join again'])
  })
})
