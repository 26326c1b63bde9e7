import { spawnSync } from 'node:child_process'
import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { existsSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { GitError } from './git-error.ts'
import { lastLine } from './git-program.ts'
import { type Fetched, GitRemote, type OwnFiles } from './git-remote.ts'
import { bundleName, consensusNames, layerOfName, MAX_REPOSITORY_FILE_BYTES, tensorName } from './layout.ts'

const ALICE = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5'
const BOB = '12D3KooWJWoaqZhDaoEFshF7Rh1bpY9ohihFhzcW6d69Lr2NASuq'
const LAYER = 'ab'.repeat(32)
const signal = new AbortController().signal

let dir: string
let bare: string
const saved = { ...process.env }

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sgsd-git-'))
  bare = join(dir, 'remote.git')
  git('init', '--quiet', '--bare', bare)
})

afterEach(async () => {
  process.env = { ...saved }
  await rm(dir, { recursive: true, force: true })
})

function git(...args: string[]): string {
  return gitWith('', ...args)
}

function gitWith(input: string | Buffer, ...args: string[]): string {
  const ran = spawnSync('git', args, { cwd: existsSync(bare) ? bare : dir, input, encoding: 'utf8', maxBuffer: 2 ** 28 })
  if (ran.status !== 0) throw new Error(ran.stderr)
  return ran.stdout.trim()
}

function open(remote = bare, branch = 'main', abort: AbortSignal = signal): Promise<GitRemote> {
  return GitRemote.open(join(dir, 'data'), remote, branch, abort)
}

function files(peer: string, layer = LAYER, text = 'x'): OwnFiles {
  const bytes = Buffer.from(text)
  const own = [tensorName(layer), bundleName(layer)].map((name) => ({ name, bytes }))
  return { peer, name: 'atlas', layer, seq: '7', own, consensus: [{ name: consensusNames('mean/1').tau, bytes: Buffer.from(peer) }] }
}

async function push(given: OwnFiles, branch = 'main'): Promise<string> {
  await using remote = await open(bare, branch)
  return (await remote.push(given)).result
}

async function fetch(): Promise<Fetched | undefined> {
  await using remote = await open()
  return await remote.fetch()
}

/** The branch becomes a commit of this folder: entries as `git mktree` takes them. */
function write(...entries: string[]): void {
  const tree = (lines: string[]): string => gitWith(Buffer.from(lines.map((line) => `${line}\0`).join(''), 'latin1'), 'mktree', '-z', '--missing')
  const members = tree(entries)
  const layers = tree([`040000 tree ${members}\tmembers`])
  const top = tree([`040000 tree ${layers}\tlayers`, `100644 blob ${blob('hello')}\tREADME`])
  const commit = gitWith('', '-c', 'user.name=x', '-c', 'user.email=x', 'commit-tree', top, '-m', 'x')
  git('update-ref', 'refs/heads/main', commit)
}

function blob(content: string | Buffer): string {
  return gitWith(content, 'hash-object', '-w', '--stdin')
}

function folder(entries: readonly string[]): string {
  return gitWith(Buffer.from(entries.map((line) => `${line}\0`).join(''), 'latin1'), 'mktree', '-z', '--missing')
}

/** A dead process that nobody has waited for yet does not run. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !existsSync('/proc/self/stat') || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

describe('a push', () => {
  test('begins a branch, with the layout of the repository and a commit signed off by the peer id', async () => {
    expect(await push(files(ALICE))).toBe('pushed')
    expect(git('-c', 'core.quotePath=false', 'ls-tree', '-r', '--name-only', 'main').split('\n')).toEqual([
      'layers/consensus/Wτ_mean.pt.zst',
      `layers/members/${ALICE}/${LAYER}.layer.zst`,
      `layers/members/${ALICE}/${LAYER}.pt.zst`,
    ])
    expect(git('log', '-1', '--format=%an <%ae>%n%B', 'main')).toBe(
      `atlas <${ALICE}@sgsd.invalid>\nLayer abababababab of atlas, its 7.\n\nSigned-off-by: ${ALICE}`,
    )
    expect(await readdir(join(dir, 'data', 'git'))).toEqual([])
  })

  test('of the same again changes nothing; of a newer layer takes the older one’s place', async () => {
    await push(files(ALICE))
    expect(await push(files(ALICE))).toBe('same')
    expect(git('rev-list', '--count', 'main')).toBe('1')
    await push(files(ALICE, 'cd'.repeat(32)))
    expect(git('ls-tree', '-r', '--name-only', 'main', `layers/members/${ALICE}/`)).not.toContain(LAYER)
    expect(git('rev-list', '--count', 'main')).toBe('2')
  })

  test('leaves alone what others wrote, links, modules and odd names too', async () => {
    const odd = folder([`120000 blob ${blob('/etc/passwd')}\t${LAYER}.layer.zst`, `100644 blob ${blob('x')}\tnew\nline`])
    write(`040000 tree ${odd}\t${BOB}`, `160000 commit ${'1'.repeat(40)}\tmodule`, `100644 blob ${blob('x')}\tw\xe9ird`, `040000 tree ${odd}\t.git`)
    const before = git('ls-tree', '-z', 'main:layers/members')
    expect(await push(files(ALICE))).toBe('pushed')
    const after = git('ls-tree', '-z', 'main:layers/members').split('\0')
    expect(after.filter((line) => !line.includes(ALICE))).toEqual(before.split('\0'))
    expect(git('show', 'main:README')).toBe('hello')
    expect(git('rev-list', '--count', 'main')).toBe('2')
  })

  test('that somebody else overtakes is lost, and the next attempt builds on what won', async () => {
    await push(files(BOB))
    const won = git('rev-parse', 'main')
    git('update-ref', 'refs/heads/other', won)
    await push(files(BOB, 'cd'.repeat(32)), 'other')
    // the remote's own hook moves the branch between our fetch and our push
    const once = join(dir, 'once')
    const hook = join(bare, 'hooks', 'update')
    await writeFile(hook, `#!/bin/sh\nif [ ! -e ${once} ]; then touch ${once}; git update-ref refs/heads/main refs/heads/other; fi\n`)
    await chmod(hook, 0o755)
    await using remote = await open()
    expect(await remote.push(files(ALICE))).toEqual({ result: 'lost' })
    expect(await remote.push(files(ALICE))).toMatchObject({ result: 'pushed' })
    expect(git('rev-list', '--count', 'main')).toBe('3')
    expect(git('ls-tree', '--name-only', 'main:layers/members').split('\n').sort()).toEqual([ALICE, BOB].sort())
  })

  test('of many at once loses nobody’s folder, and never merges', { timeout: 60_000 }, async () => {
    const members = Array.from({ length: 3 }, (_, i) => `${ALICE.slice(0, -1)}${i + 2}`)
    let lost = 0
    await Promise.all(
      members.map(async (member) => {
        await using remote = await open()
        for (let round = 0; round < 2; round++) {
          while ((await remote.push(files(member, LAYER, `${member} ${round}`))).result === 'lost') lost += 1
        }
      }),
    )
    expect(git('ls-tree', '--name-only', 'main:layers/members').split('\n').sort()).toEqual([...members].sort())
    for (const member of members) expect(git('show', `main:layers/members/${member}/${bundleName(LAYER)}`)).toBe(`${member} 1`)
    expect(git('rev-list', '--count', 'main')).toBe(String(2 * members.length))
    expect(git('rev-list', '--count', '--merges', 'main')).toBe('0')
    expect(lost).toBeLessThan(100)
  })

  test('that the remote declines says why', async () => {
    const hook = join(bare, 'hooks', 'pre-receive')
    await writeFile(hook, '#!/bin/sh\nexit 1\n')
    await chmod(hook, 0o755)
    await using remote = await open()
    await expect(remote.push(files(ALICE))).rejects.toMatchObject({
      code: 'REMOTE_REFUSED',
      message: expect.stringContaining('pre-receive') as string,
    })
  })

  test('of a layer that no host would take is refused here', async () => {
    await using remote = await open()
    const large = { name: 'x', bytes: new Uint8Array(MAX_REPOSITORY_FILE_BYTES + 1) }
    await expect(remote.push({ ...files(ALICE), own: [large] })).rejects.toMatchObject({ code: 'LAYER_TOO_LARGE' })
  })
})

describe('a fetch', () => {
  test('finds the portable layers of all members', async () => {
    await push(files(ALICE, LAYER, 'of alice'))
    await push(files(BOB, 'cd'.repeat(32), 'of bob'))
    await using remote = await open()
    const fetched = await remote.fetch()
    const found = await Promise.all(fetched!.layers.map(async ({ member, layer, read }) => [member, layer, Buffer.from(await read()).toString()]))
    expect(found.map((fact) => fact.join(' ')).sort()).toEqual([`${BOB} ${'cd'.repeat(32)} of bob`, `${ALICE} ${LAYER} of alice`])
    expect(fetched).toMatchObject({ ignored: 0, commit: git('rev-parse', 'main') })
  })

  test('passes over links, modules, foreign files and names, floods and what is too large', { timeout: 60_000 }, async () => {
    const good = blob('good')
    const large = blob(Buffer.alloc(MAX_REPOSITORY_FILE_BYTES + 1))
    const name = (digit: string): string => bundleName(digit.repeat(64))
    const hostile = folder([
      `120000 blob ${good}\t${name('1')}`,
      `160000 commit ${'1'.repeat(40)}\t${name('2')}`,
      `040000 tree ${folder([])}\t${name('3')}`,
      `100644 blob ${large}\t${name('4')}`,
      `100644 blob ${good}\t${name('5').toUpperCase()}`,
      `100644 blob ${good}\t..`,
      `100644 blob ${good}\tnew\nline`,
      `100755 blob ${good}\t${name('a')}`,
    ])
    const flood = folder(Array.from('0123456789abcdef', (digit) => `100644 blob ${good}\t${name(digit)}`))
    write(
      `040000 tree ${hostile}\t${ALICE}`,
      `040000 tree ${flood}\t${BOB}`,
      `040000 tree ${flood}\tnobody`,
      `120000 blob ${good}\t12D3KooWLink`,
      `100644 blob ${good}\t.gitattributes`,
    )
    const fetched = await fetch()
    expect(fetched?.layers.map(({ member, layer }) => [member === ALICE, layer[0]])).toEqual([
      ...['0', '1', '2', '3'].map((digit) => [false, digit]),
      [true, 'a'],
    ])
    // 7 of Alice's, 12 of Bob's, and three that are no member's folder
    expect(fetched?.ignored).toBe(22)
  })

  test.each([
    ['no branch', () => {}, undefined],
    ['an empty folder', () => write(), 0],
    ['a file where the folder belongs', () => git('update-ref', 'refs/heads/main', commitOf([`100644 blob ${blob('x')}\tlayers`])), 0],
    ['a link where the folder belongs', () => git('update-ref', 'refs/heads/main', commitOf([`120000 blob ${blob('/etc')}\tlayers`])), 0],
  ])('of %s is none', async (_, prepare, layers) => {
    prepare()
    expect((await fetch())?.layers.length).toBe(layers)
  })

  test('of a folder without end ends', { timeout: 60_000 }, async () => {
    const id = blob('x')
    const many = Array.from({ length: 18_000 }, (_, i) => `100644 blob ${id}\t${String(i).padStart(200, 'x')}`)
    git('update-ref', 'refs/heads/main', commitOf(many))
    await expect(fetch()).rejects.toMatchObject({ code: 'REPOSITORY_TOO_LARGE' })
  })

  function commitOf(entries: readonly string[]): string {
    return gitWith('', '-c', 'user.name=x', '-c', 'user.email=x', 'commit-tree', folder(entries), '-m', 'x')
  }
})

describe('nothing is run', () => {
  test.each(['--upload-pack=touch x', '-x', 'ext::sh -c touch% x', 'a::b', 'x\ny', ''])('for the remote %j', async (remote) => {
    await expect(open(remote)).rejects.toMatchObject({ code: 'REMOTE_INVALID' })
  })

  test.each(['--force', 'a..b', 'a b', 'x.lock', 'a//b', '', 'refs/heads/*', 'x:y'])('for the branch %j', async (branch) => {
    await expect(open(bare, branch)).rejects.toMatchObject({ code: 'REMOTE_INVALID' })
  })

  test('over other transports, also where the user’s settings lead there', async () => {
    const config = join(dir, 'gitconfig')
    const mark = join(dir, 'ran')
    await writeFile(config, `[url "ext::sh -c touch% ${mark}% "]\n  insteadOf = ssh://evil/\n[protocol]\n  allow = always\n`)
    process.env['GIT_CONFIG_GLOBAL'] = config
    await using remote = await open('ssh://evil/x')
    await expect(remote.fetch()).rejects.toMatchObject({ code: 'REMOTE_UNREACHABLE', message: expect.stringContaining('not allowed') as string })
    expect(existsSync(mark)).toBe(false)
    await using plain = await open('http://127.0.0.1:9/x')
    await expect(plain.fetch()).rejects.toMatchObject({ message: expect.stringContaining('not allowed') as string })
  })

  test('of the user’s hooks, nor in another repository that the environment names', async () => {
    const mark = join(dir, 'hooked')
    for (const hook of ['pre-push', 'reference-transaction', 'post-index-change']) {
      await writeFile(join(dir, hook), `#!/bin/sh\ntouch ${mark}\n`)
      await chmod(join(dir, hook), 0o755)
    }
    const config = join(dir, 'gitconfig')
    await writeFile(config, `[core]\n  hooksPath = ${dir}\n`)
    Object.assign(process.env, { GIT_CONFIG_GLOBAL: config, GIT_DIR: join(dir, 'nowhere'), GIT_INDEX_FILE: join(dir, 'index') })
    await using remote = await open()
    const { GIT_DIR: _dir, GIT_INDEX_FILE: _index, GIT_CONFIG_GLOBAL: _config, ...plain } = process.env
    expect(await remote.push(files(ALICE))).toMatchObject({ result: 'pushed' })
    process.env = plain
    expect(existsSync(join(dir, 'nowhere'))).toBe(false)
    expect(git('rev-list', '--count', 'main')).toBe('1')
  })
})

describe('a remote that cannot be used', () => {
  test('says so in a line', async () => {
    await using remote = await open(join(dir, 'nothing.git'))
    await expect(remote.fetch()).rejects.toMatchObject({
      code: 'REMOTE_UNREACHABLE',
      message: expect.stringMatching(/^the remote cannot be read: fatal: /) as string,
    })
  })

  test('and hangs is let go of when the command ends, with everything that it started', async () => {
    const ssh = join(dir, 'ssh')
    const pid = join(dir, 'pid')
    await writeFile(ssh, `#!/bin/sh\necho $$ > ${pid}\nexec sleep 600\n`)
    await chmod(ssh, 0o755)
    process.env['GIT_SSH'] = ssh
    const abort = new AbortController()
    await using remote = await open('ssh://host.invalid/x', 'main', abort.signal)
    const fetching = remote.fetch()
    fetching.catch(() => {})
    while (!existsSync(pid)) await new Promise((resolve) => setTimeout(resolve, 10))
    abort.abort(new Error('enough'))
    await expect(fetching).rejects.toThrow('enough')
    const number = Number(readFileSync(pid, 'utf8'))
    await expect.poll(() => isRunning(number)).toBe(false)
  })

  test('for want of git', async () => {
    process.env['PATH'] = dir
    await expect(open()).rejects.toMatchObject({ code: 'GIT_MISSING', hint: 'install git' })
  })
})

test('what git says is told by the line that tells something', () => {
  expect(lastLine('remote: \nfatal: no\nhint: try\n\n')).toBe('fatal: no')
  expect(lastLine('one\n\u001b[31mtwo\n')).toBe('[31mtwo')
  expect(lastLine('')).toBe('')
  expect(new GitError('GIT_TIMEOUT', 'x').exitCode).toBe(6)
})

test('names of the layout', () => {
  expect(consensusNames('mean/1')).toEqual({ tau: 'Wτ_mean.pt.zst', rho: 'Wρ_max.pt.zst', counts: 'N_sum.pt.zst' })
  expect(consensusNames('evidence/1')).toMatchObject({ tau: 'Wτ_evidence.pt.zst', rho: 'Wρ_evidence.pt.zst' })
  expect(layerOfName(bundleName(LAYER))).toBe(LAYER)
  expect(layerOfName(`../${bundleName(LAYER)}`)).toBeUndefined()
})
