import { spawnSync } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openColourCompute } from '../packages/compute/src/index.ts'
import type { AskDocument, StatusDocument } from '../packages/daemon/src/control/api.ts'
import { type Daemon, killAll, sgsd, sgsdJson, statusWhen, up } from './sgsd.ts'

/** Starting a daemon takes seconds on two busy cores. */
const PATIENCE_MS = 120_000
const EPOCH_COLOURS = 2n ** 28n
const LOOPBACK = '/ip4/127.0.0.1/tcp/0'
const LINES = ['天地玄黃', '宇宙洪荒', '日月盈昃', '辰宿列張', '寒來暑往', '秋收冬藏']

let root: string
const at = (name: string): string => join(root, name)

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sgsd-test-'))
})

afterAll(async () => {
  await killAll()
  await rm(root, { recursive: true, force: true })
})

describe('two nodes', { timeout: PATIENCE_MS }, () => {
  let a: Daemon
  let b: Daemon
  let invite: string

  beforeAll(async () => {
    await sgsdJson([
      'init',
      '--mesh',
      'oak',
      '--name',
      'atlas',
      '--listen',
      LOOPBACK,
      '--epoch-colours',
      String(EPOCH_COLOURS),
      '--data-dir',
      at('a'),
    ])
    await sgsdJson(['config', 'set', 'mine.epochs', '1', '--data-dir', at('a')])
    a = await up(at('a'), '--no-mine', '--no-farm')
    invite = (await sgsd(['invite', '--data-dir', at('a')])).out.trim()
    await sgsdJson(['join', '-', '--name', 'boreas', '--listen', LOOPBACK, '--data-dir', at('b')], `${invite}\n`)
    await sgsdJson(['config', 'set', 'mine.epochs', '1', '--data-dir', at('b')])
    b = await up(at('b'), '--no-mine', '--no-farm')
  }, PATIENCE_MS)

  test('see each other', async () => {
    const [one, two] = await Promise.all(['a', 'b'].map((name) => statusWhen(at(name), ({ mesh }) => mesh.members === 2 && mesh.connected === 1)))
    expect(one!.mesh.id).toBe(two!.mesh.id)
    expect(new Set(one!.peers.map(({ name }) => name))).toEqual(new Set(['atlas', 'boreas']))
    expect(one!.schema).toBe('sgsd.status/1')
    const text = await sgsd(['status', '--data-dir', at('b')])
    expect(text.code).toBe(0)
    expect(text.out).toMatch(/boreas\* .*self/)
    expect(text.out).not.toContain('\u001B')
  })

  test('mine one epoch in disjoint ranges and get the XOR that one machine gets alone', async () => {
    await Promise.all(['a', 'b'].map((name) => sgsdJson(['mine', 'start', '--data-dir', at(name)])))
    const closed = ({ colours }: StatusDocument): boolean => colours.closed.length > 0
    const statuses = await Promise.all(['a', 'b'].map((name) => statusWhen(at(name), closed)))
    await using compute = await openColourCompute({ threads: 1 })
    const seed = BigInt(statuses[0]!.colours.seed)
    const alone = await compute.rangeXor('spi64', seed, 0n, EPOCH_COLOURS, AbortSignal.timeout(PATIENCE_MS))
    for (const { colours } of statuses) {
      expect(colours.closed[0]).toEqual({ epoch: '0x0000000000000000', xor: `0x${alone.toString(16).padStart(16, '0')}`, how: 'computed' })
    }
  })

  test('farm a text on one, and both answer with the same consensus', async () => {
    const farmed = await sgsdJson<{ lines: number; layer: string }>(['farm', '-', '--data-dir', at('a')], `${LINES.join('\n')}\n`)
    expect(farmed.lines).toBe(LINES.length)
    expect(farmed.layer).toMatch(/^[0-9a-f]{64}$/)
    const [one, two] = await Promise.all(
      ['a', 'b'].map((name) => statusWhen(at(name), ({ consensus, mesh }) => consensus.heads === 1 && mesh.agreeing === 2)),
    )
    expect(two!.consensus.id).toBe(one!.consensus.id)
    expect(two!.consensus.digest).toBe(one!.consensus.digest)
    const answer = await sgsdJson<AskDocument>(['ask', '人工智能正在改变世界', '-k', '5', '--data-dir', at('b')])
    expect(answer.nearest).toHaveLength(5)
    expect(answer.consensus).toBe(one!.consensus.id)
    expect(answer.unknown).toEqual([])
  })

  test('a second daemon on one data directory is refused: 78, and the first goes on', async () => {
    const second = await sgsd(['up', '--data-dir', at('a')])
    expectRefusal(second, 78, /runs/)
    expect((await sgsd(['status', '--data-dir', at('a')])).code).toBe(0)
  })

  test('a text without a known character is refused by both ways of asking', async () => {
    expectRefusal(await sgsd(['ask', 'hello', '--data-dir', at('a')]), 1, /no character/)
    expectRefusal(await sgsd(['ask', '-', '--data-dir', at('a')], { input: '☃ 123\n' }), 1, /no character/)
  })

  test('join refuses a wrong key, a missing key and another peer than the one named, each within 10 s', async () => {
    const [address] = invite.split('#') as [string]
    const wrong = await sgsd(['join', `${address}#${'A'.repeat(43)}`, '--data-dir', at('c')])
    expectRefusal(wrong, 5, /key/)
    const bare = await sgsd(['join', address, '--data-dir', at('c')])
    expectRefusal(bare, 5, /key/)
    const other = await sgsd(['join', invite.replace(/(12D3KooW\w+)/, b.multiaddrs[0]!.split('/').at(-1) ?? ''), '--data-dir', at('c')])
    expect(other.code, other.err).not.toBe(0)
    for (const { ms } of [wrong, bare, other]) expect(ms).toBeLessThan(15_000)
    await expect(stat(join(at('c'), 'genesis.bin'))).rejects.toThrow('ENOENT')
  })

  test('a port in use is refused: 78', async () => {
    const port = /\/tcp\/(\d+)\//.exec(a.multiaddrs[0]!)![1]!
    await sgsdJson(['init', '--listen', `/ip4/127.0.0.1/tcp/${port}`, '--data-dir', at('p')])
    expectRefusal(await sgsd(['up', '--data-dir', at('p')]), 78, new RegExp(port))
  })

  test('damaged blocks are fetched again from the peer, never used', async () => {
    const before = await statusWhen(at('b'), ({ consensus }) => consensus.heads === 1)
    expect((await sgsd(['down', '--data-dir', at('a')])).code).toBe(0)
    const blocks = await filesBelow(join(at('a'), 'blocks'))
    expect(blocks.length).toBeGreaterThan(0)
    for (const file of blocks) {
      const bytes = await readFile(file)
      const last = bytes.length - 1
      bytes.writeUInt8(bytes.readUInt8(last) ^ 0xff, last)
      await chmod(file, 0o600)
      await writeFile(file, bytes)
    }
    a = await up(at('a'), '--no-mine', '--no-farm')
    const after = await statusWhen(at('a'), ({ consensus }) => consensus.digest === before.consensus.digest)
    expect(after.consensus.id).toBe(before.consensus.id)
  })

  test('a node that was killed comes back as the same member with the same consensus', async () => {
    const before = await sgsdJson<StatusDocument>(['status', '--data-dir', at('b')])
    await b.kill()
    expectRefusal(await sgsd(['status', '--data-dir', at('b')]), 3, /no daemon runs/)
    b = await up(at('b'), '--no-mine', '--no-farm')
    const after = await statusWhen(at('b'), ({ consensus, mesh }) => consensus.digest === before.consensus.digest && mesh.connected === 1)
    expect(after.node.peerId).toBe(before.node.peerId)
    expect(after.colours.closed).toEqual(before.colours.closed)
  })

  test('down stops them', async () => {
    const [one, two] = await Promise.all(['a', 'b'].map((name) => sgsd(['down', '--data-dir', at(name)])))
    expect([one!.code, two!.code]).toEqual([0, 0])
    expectRefusal(await sgsd(['down', '--data-dir', at('a')]), 3, /no daemon runs/)
  })
})

describe('bad input', { timeout: PATIENCE_MS }, () => {
  test.each([
    [['stauts'], /did you mean status/],
    [['status', '--jsno'], /did you mean --json/],
    [['mine', 'halt'], /unknown command 'halt'/],
    [['config', 'set', 'mine.treads', '2'], /no configuration field mine\.treads/],
    [['join', 'not-a-multiaddr'], /not-a-multiaddr|multiaddr/],
    [['join', '/ip4/300.1.1.1/tcp/1/p2p/12D3KooWx'], /./],
    [['farm'], /missing required argument/],
  ])('%j is usage: 2', async (words, message) => {
    expectRefusal(await sgsd(words, { env: { SGSD_DATA_DIR: at('none') } }), 2, message)
  })

  test('nobody listens there: the address is named, within 10 s', async () => {
    const port = await freePort()
    const peer = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5'
    const ran = await sgsd(['join', `/ip4/127.0.0.1/tcp/${port}/p2p/${peer}#${'A'.repeat(43)}`, '--data-dir', at('lonely')])
    expect([1, 6]).toContain(ran.code)
    expect(ran.err).toContain(`127.0.0.1/tcp/${port}`)
    expect(ran.err.trim().split('\n')).toHaveLength(1)
    expect(ran.ms).toBeLessThan(15_000)
  })

  test('no daemon: 3; no node: 78', async () => {
    expectRefusal(await sgsd(['status', '--data-dir', at('none')]), 3, /sgsd up/)
    expectRefusal(await sgsd(['up', '--data-dir', at('none')]), 78, /sgsd init/)
  })

  test('a data directory that cannot be written: 5', async () => {
    await writeFile(at('file'), '')
    expectRefusal(await sgsd(['init', '--data-dir', at('file/a')]), 5, /cannot write/)
    if (process.getuid?.() !== 0) {
      await mkdir(at('locked'), { mode: 0o500 })
      expectRefusal(await sgsd(['init', '--data-dir', at('locked/a')]), 5, /cannot write/)
    }
  })

  describe('a damaged', () => {
    const dir = (): string => at('damaged')

    beforeAll(async () => {
      await sgsdJson(['init', '--listen', LOOPBACK, '--data-dir', dir()])
    }, PATIENCE_MS)

    test.each([
      ['config.json', '{ "mine": { "threads": "many" } }', /mine\.threads/],
      ['config.json', '{ "mien": {} }', /mien/],
      ['config.json', '{', /JSON/],
      ['genesis.bin', 'nonsense', /genesis\.bin/],
      ['identity.key', 'nonsense', /identity\.key/],
      ['mesh.key', 'nonsense', /mesh\.key/],
    ])('%s (%s) keeps the daemon from starting: 78, and nothing is lost', async (name, damage, message) => {
      const file = join(dir(), name)
      const sound = await readFile(file)
      await writeFile(file, damage)
      expectRefusal(await sgsd(['up', '--data-dir', dir()]), 78, message)
      expect(await readFile(file, 'utf8')).toBe(damage)
      await writeFile(file, sound)
    })

    test('config.json: validate names every fault', async () => {
      const file = join(dir(), 'config.json')
      const sound = await readFile(file)
      await writeFile(file, JSON.stringify({ name: 'NO', mine: { threads: -1 } }))
      const ran = await sgsd(['config', 'validate', '--data-dir', dir()])
      expect(ran.code).toBe(78)
      expect(ran.out).toMatch(/name: [\s\S]*mine\.threads: /)
      await writeFile(file, sound)
      expect((await sgsd(['config', 'validate', '--data-dir', dir()])).code).toBe(0)
    })
  })

  test('a reader that goes away early ends a command quietly', async () => {
    const command = `'${process.execPath}' --conditions=sgsd-source '${join(import.meta.dirname, '../packages/cli/src/main.ts')}' color 0 --count 10000 | head -1`
    const ran = spawnSync('bash', ['-c', `set -o pipefail; ${command}`], { encoding: 'utf8' })
    expect(ran.stdout.split('\n')).toHaveLength(2)
    expect(ran.stderr).toBe('')
  })
})

/** One line on stderr, nothing on stdout, this exit code. */
function expectRefusal(ran: Awaited<ReturnType<typeof sgsd>>, code: number, message: RegExp): void {
  expect(ran.code, ran.err).toBe(code)
  expect(ran.out).toBe('')
  const lines = ran.err.trim().split('\n')
  expect(lines, ran.err).toHaveLength(1)
  expect(lines[0]).toMatch(/^sgsd: /)
  expect(lines[0]).toMatch(message)
}

async function filesBelow(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
