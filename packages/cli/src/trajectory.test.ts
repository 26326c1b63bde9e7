import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RunLine } from '@sgsd/daemon'
import { parseProgram } from '@sgsd/lattice'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DaemonEdge } from './edges.ts'
import { EXIT } from './exit-code.ts'
import { type Ran, runCommand } from './fixtures/command-run.ts'

const PROGRAM = 'version: 1\nname: moon\nprogram:\n  - cover: 床前明月光\n  - converge\n  - load_particles: [own]\n'
const EXAMPLES = join(import.meta.dirname, '../../../docs/examples')
const STARTED: RunLine = {
  event: 'started',
  schema: 'sgsd.run/1',
  name: 'moon',
  profile: 'stable',
  ops: 3,
  over: '',
  consensus: '3f'.repeat(32),
  digest: '9a'.repeat(32),
}
const LINES: readonly RunLine[] = [
  STARTED,
  { event: 'op', index: 0, op: 'cover', sets: ['start'], sha256: 'aa'.repeat(32), top: [{ character: '月', value: 1 }], unknown: ['x'] },
  { event: 'progress', index: 1, steps: 256, moved: 0.1 },
  {
    event: 'op',
    index: 1,
    op: 'converge',
    sets: ['result'],
    sha256: 'bb'.repeat(32),
    top: [{ character: '朣', value: 0.25 }],
    converge: { steps: 2, converged: true, moved: 0.0005, energy: [-0.5, -0.625, -0.75], energyFalls: false, moves: [0.2, 0.0005] },
  },
  {
    event: 'op',
    index: 2,
    op: 'load_particles',
    sets: ['start'],
    sha256: 'cc'.repeat(32),
    top: [],
    particles: [{ particle: 'consensus', weight: 1, likeness: 0.5 }],
  },
  { event: 'end', steps: 2, sha256: 'bb'.repeat(32), top: [{ character: '朣', value: 0.25, definition: 'the rising moon' }] },
]

let dir: string
const file = (name: string): string => join(dir, name)

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sgsd-run-'))
  await writeFile(file('moon.yml'), PROGRAM)
})

afterAll(() => rm(dir, { recursive: true, force: true }))

/** Runs `sgsd run …` against a daemon that answers with the given lines. */
async function run(words: readonly string[], lines: readonly RunLine[] = LINES, input = ''): Promise<Ran & { readonly posted: unknown[][] }> {
  const posted: unknown[][] = []
  const daemon = {
    defaultDataDir: () => '/d',
    openControl: () => ({
      lines: async function* (path: string, body: unknown) {
        posted.push([path, body])
        yield* lines
      },
    }),
  } as unknown as DaemonEdge
  return { ...(await runCommand(['run', ...words], { input, edges: { daemon: async () => daemon } })), posted }
}

describe('sgsd run', () => {
  test('prints what each op did, and the state at the end', async () => {
    const { code, out, posted } = await run([file('moon.yml')])
    expect(code).toBe(EXIT.ok)
    const lines = out.split('\n')
    expect(lines.slice(0, 2)).toEqual(['moon: 3 ops, stable profile', 'over consensus [3f3f3f] 3f3f3f3f3f3f, digest 9a9a9a9a9a9a'])
    expect(lines).toContain('    4  cover           start           aaaaaaaaaaaa  月')
    expect(lines).toContain('       unknown: x')
    expect(lines).toContain('    5  converge        result          bbbbbbbbbbbb  朣')
    expect(lines).toContain('       2 steps, settled: the last moved 5.0e-4')
    expect(lines).toContain('       energy -0.50000 → -0.62500 → -0.75000')
    expect(lines).toContain('       particle consensus     weight 1.000  likeness 0.500')
    expect(out).toMatch(/朣 +0\.2500 .*the rising moon/)
    expect(lines.at(-1)).toBe(`sha256  ${'bb'.repeat(32)}`)
    expect(posted).toEqual([
      ['/v1/run', { program: { version: 1, name: 'moon', program: [{ cover: '床前明月光' }, 'converge', { load_particles: ['own'] }] } }],
    ])
  })

  test('--json prints one document, with the line of each op; - reads standard input; --layer goes along', async () => {
    const { code, out, posted } = await run(['-', '--json', '--layer', 'abcdef'], LINES, PROGRAM)
    expect(code).toBe(EXIT.ok)
    const document = JSON.parse(out) as { ops: { op: string; line: number; index: number }[] }
    expect(document).toMatchObject({
      schema: 'sgsd.run/1',
      file: 'stdin',
      name: 'moon',
      consensus: '3f'.repeat(32),
      steps: 2,
      sha256: 'bb'.repeat(32),
    })
    expect(document.ops.map(({ op, line, index }) => [op, line, index])).toEqual([
      ['cover', 4, 0],
      ['converge', 5, 1],
      ['load_particles', 6, 2],
    ])
    expect(posted[0]![1]).toMatchObject({ layer: 'abcdef' })
  })

  test('a fault is one line with its place, exit 2, and the daemon is not asked', async () => {
    await writeFile(file('bad.yml'), 'version: 1\nprogram:\n- converge:\n    max_steps: many\n')
    const { code, err, posted } = await run([file('bad.yml')])
    expect(code).toBe(EXIT.usage)
    expect(err).toBe(
      `sgsd: ${file('bad.yml')}:4:5: converge.max_steps must be a whole number from 1 to 10000, not "many"  →  docs/trajectories.md describes the language`,
    )
    expect(posted).toEqual([])
  })

  test('several faults are a line each', async () => {
    const { code, err } = await run(['-'], LINES, 'version: 1\nprogram: [sing, dance]\n')
    expect(code).toBe(EXIT.usage)
    expect(err.split('\n').map((line) => line.slice(0, 17))).toEqual(['stdin:2:11: there', 'stdin:2:17: there', 'sgsd: stdin has 2'])
  })

  test('what an op cannot do names its place', async () => {
    const failed: RunLine = { event: 'failed', index: 2, code: 'LAYER_UNKNOWN', message: 'load_particles: this node has no layer yet' }
    const { code, err } = await run([file('moon.yml')], [failed])
    expect(code).toBe(EXIT.failure)
    expect(err).toBe(`sgsd: ${file('moon.yml')}:6:5: load_particles: this node has no layer yet`)
    expect((await run([file('moon.yml')], [STARTED])).err).toContain('ended the run before its end')
  })

  test('--check needs no daemon', async () => {
    const { code, out, posted } = await run([file('moon.yml'), '--check'])
    expect([code, out, posted]).toEqual([EXIT.ok, `${file('moon.yml')}: a good program of 3 ops`, []])
    expect(JSON.parse((await run(['-', '--check', '--json'], LINES, PROGRAM)).out)).toEqual({
      schema: 'sgsd.program/1',
      file: 'stdin',
      ops: 3,
      faults: [],
    })
  })

  test('bad words and bad files', async () => {
    expect((await run([file('moon.yml'), '--layer', 'xyz'])).err).toContain('6 to 64 lower-case hex digits')
    expect((await run([file('nothing.yml')])).err).toContain('there is no such file')
    expect((await run([dir])).err).toContain('it is a folder')
    await writeFile(file('latin.yml'), Buffer.from('version: 1 # caf\xe9', 'latin1'))
    expect((await run([file('latin.yml')])).err).toContain('it is not UTF-8')
    await writeFile(file('long.yml'), `# ${'人'.repeat(2 ** 20)}`)
    expect((await run([file('long.yml')])).err).toContain('long.yml: the program is larger than 1 MiB')
    expect((await run(['-'], LINES, `# ${'人'.repeat(2 ** 20)}`)).err).toContain('stdin: the program is larger than 1 MiB')
  })
})

test('the examples are good programs', async () => {
  const names = (await readdir(EXAMPLES)).filter((name) => name.endsWith('.yml'))
  expect(names.length).toBeGreaterThanOrEqual(4)
  for (const name of names) expect((await run([join(EXAMPLES, name), '--check'])).code, name).toBe(EXIT.ok)
})

test('the programs in the page about the language are good programs', async () => {
  const { readFile } = await import('node:fs/promises')
  const page = await readFile(join(EXAMPLES, '../trajectories.md'), 'utf8')
  const programs = [...page.matchAll(/```yaml\n(version: 1\n[\s\S]*?)```/g)].map(([, source]) => source!)
  expect(programs.length).toBeGreaterThan(0)
  for (const source of programs) expect(parseProgram(source)).not.toHaveProperty('faults')
})
