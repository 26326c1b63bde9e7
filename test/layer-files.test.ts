import { spawnSync } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { zstdDecompressSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { HeadsDocument } from '../packages/daemon/src/layer-files/documents.ts'
import { encodeTorch, layerTensors, parseTorch, splitLayerBundle, type TensorFile } from '../packages/interop/src/index.ts'
import { openControl } from '../packages/daemon/src/control/client.ts'
import { documentOf, type Ran, runCommand } from '../packages/cli/src/fixtures/command-run.ts'
import { type Daemon, killAll, sgsd, sgsdJson, statusWhen, up } from './sgsd.ts'

/** Starting a daemon takes seconds on two busy cores. */
const PATIENCE_MS = 180_000
const LOOPBACK = '/ip4/127.0.0.1/tcp/0'
const POEM = ['天地玄黃', '宇宙洪荒', '日月盈昃', '辰宿列張', '寒來暑往', '秋收冬藏'].join('\n')
const OTHER = ['閏餘成歲', '律呂調陽', '雲騰致雨', '露結為霜', '金生麗水', '玉出崑岡'].join('\n')

let root: string
const at = (name: string): string => join(root, name)
const headsOf = (name: string): Promise<HeadsDocument> => openControl(at(name)).get<HeadsDocument>('/v1/heads')

/** The commands under test run in this process: starting one takes longer than what it does. */
const edges = { daemon: () => import('../packages/daemon/src/index.ts') }
const run = (words: readonly string[]): Promise<Ran> => runCommand(words, { edges })
const runJson = <T>(words: readonly string[]): Promise<T> => documentOf<T>(words, { edges })

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sgsd-files-'))
})

afterAll(async () => {
  await killAll()
  await rm(root, { recursive: true, force: true })
})

interface Exported {
  readonly file: string
  readonly id: string
}

interface Pulled {
  readonly layers: readonly { readonly member: string; readonly layer: string; readonly result: string; readonly reason: string }[]
  readonly ignored: number
}

async function found(name: string, fold: string): Promise<void> {
  const flags = ['--name', name, '--mesh', name, '--fold', fold, '--listen', LOOPBACK, '--epoch-colours', String(2 ** 28), '--data-dir', at(name)]
  await sgsdJson(['init', ...flags])
}

async function exported(name: string, ...words: string[]): Promise<Exported> {
  return runJson<Exported>(['export', ...words, '--data-dir', at(name)])
}

async function tensorsOf(file: string): Promise<TensorFile> {
  const packed = await readFile(file)
  const parsed = parseTorch(new Uint8Array(file.endsWith('.zst') ? zstdDecompressSync(packed) : packed))
  if (parsed.type !== 'accept') throw new Error(parsed.reason)
  return parsed.value
}

/** Sum of the counts in a file. */
function total({ tensors }: TensorFile): number {
  const counts = tensors.get('N')
  if (counts?.layout !== 'coo') throw new Error('no counts')
  const { buffer, byteOffset, length } = counts.values.bytes.slice()
  return Number(new BigInt64Array(buffer, byteOffset, length / 8).reduce((sum, count) => sum + count, 0n))
}

describe('two members of a keyed mesh that meet in a repository only', { timeout: PATIENCE_MS }, () => {
  let remote: string
  let a: Daemon
  let b: Daemon

  beforeAll(async () => {
    remote = at('layers.git')
    spawnSync('git', ['init', '--quiet', '--bare', remote])
    await found('atlas', 'evidence')
    a = await up(at('atlas'), '--no-mine', '--no-farm')
    const invite = (await sgsd(['invite', '--data-dir', at('atlas')])).out.trim()
    await sgsdJson(['join', '-', '--name', 'boreas', '--listen', LOOPBACK, '--data-dir', at('boreas')], `${invite}\n`)
    // from here on they do not know each other's address
    await a.kill()
    a = await up(at('atlas'), '--no-mine', '--no-farm')
    await sgsdJson(['config', 'set', 'bootstrap', '[]', '--data-dir', at('boreas')])
    await sgsdJson(['config', 'set', 'mdns', 'false', '--data-dir', at('boreas')])
    b = await up(at('boreas'), '--no-mine', '--no-farm')
    for (const [name, text] of [
      ['atlas', POEM],
      ['boreas', OTHER],
    ] as const) {
      await writeFile(at(`${name}.txt`), text)
      await sgsdJson(['farm', at(`${name}.txt`), '--data-dir', at(name)])
    }
    await Promise.all(['atlas', 'boreas'].map((name) => statusWhen(at(name), ({ consensus }) => consensus.heads > 0)))
  }, PATIENCE_MS)

  afterAll(async () => {
    await Promise.all([a, b].map((daemon) => daemon?.kill()))
  })

  test('push at once, pull, and fold the same consensus', async () => {
    await Promise.all(['atlas', 'boreas'].map((name) => runJson<unknown>(['git', 'push', remote, '--data-dir', at(name)])))
    const [fromA, fromB] = await Promise.all(['atlas', 'boreas'].map((name) => runJson<Pulled>(['git', 'pull', remote, '--data-dir', at(name)])))
    for (const { layers, ignored } of [fromA!, fromB!]) expect([ignored, layers.map(({ result }) => result)]).toEqual([0, ['ready']])
    await expect.poll(async () => (await headsOf('atlas')).heads.length, { timeout: 30_000 }).toBe(2)
    await expect
      .poll(async () => (await headsOf('boreas')).digest === (await headsOf('atlas')).digest && (await headsOf('atlas')).digest !== '', {
        timeout: 30_000,
      })
      .toBe(true)
    expect(await runJson<Pulled>(['git', 'pull', remote, '--data-dir', at('atlas')])).toMatchObject({ layers: [{ result: 'known' }] })
  })

  test('the pushed files say what the consensus says', async () => {
    await runJson<unknown>(['git', 'push', remote, '--data-dir', at('atlas')])
    const { consensus, heads } = await headsOf('atlas')
    const blob = spawnSync('git', ['-C', remote, 'show', 'main:layers/consensus/Wτ_evidence.pt.zst'], { maxBuffer: 2 ** 28 }).stdout
    const parsed = parseTorch(new Uint8Array(zstdDecompressSync(blob)))
    expect(parsed.type === 'accept' && parsed.value.meta.get('consensus')).toBe(consensus)
    const own = heads[0]!
    const file = at('counts.pt')
    await runJson<unknown>(['export', own.layer, '--out', file, '--data-dir', at('boreas')])
    const pushed = spawnSync('git', ['-C', remote, 'show', `main:layers/members/${own.author}/${own.layer}.pt.zst`], { maxBuffer: 2 ** 28 }).stdout
    expect(zstdDecompressSync(pushed)).toEqual(await readFile(file))
  })

  test('what others wrote into the repository is refused with its reason, and stops nothing', async () => {
    const author = (await headsOf('boreas')).self
    const clone = at('clone')
    const git = (...words: string[]): void => {
      const ran = spawnSync('git', ['-C', clone, '-c', 'user.name=x', '-c', 'user.email=x', ...words])
      if (ran.status !== 0) throw new Error(String(ran.stderr))
    }
    spawnSync('git', ['clone', '--quiet', '--branch', 'main', remote, clone])
    const folder = join(clone, 'layers', 'members', author)
    const bundle = (await readdir(folder)).find((name) => name.endsWith('.layer.zst'))
    await writeFile(join(folder, `${'0'.repeat(64)}.layer.zst`), await readFile(join(folder, bundle!)))
    await writeFile(join(folder, `${'1'.repeat(64)}.layer.zst`), 'no layer')
    await writeFile(join(folder, 'notes.txt'), 'hello')
    git('add', '.')
    git('commit', '--quiet', '-m', 'x')
    git('push', '--quiet', 'origin', 'main')
    const ran = await run(['git', 'pull', remote, '--json', '--data-dir', at('atlas')])
    expect(ran.code).toBe(7)
    const { layers, ignored } = JSON.parse(ran.out) as Pulled
    expect(ignored).toBe(1)
    expect(layers.map(({ result }) => result).sort()).toEqual(['known', 'refused', 'refused'])
  })

  test('a layer with one byte changed is refused as a file too, and one of a stranger', async () => {
    const { file } = await exported('boreas', '--format', 'layer', '--out', at('b.layer'))
    const bytes = await readFile(file)
    const bundle = splitLayerBundle(new Uint8Array(bytes))
    const state = bundle.type === 'accept' ? bundle.value.state.byteOffset : 0
    bytes[state + 40]! ^= 1
    await writeFile(at('changed.layer'), bytes)
    const ran = await run(['import', at('changed.layer'), '--data-dir', at('atlas')])
    expect(ran.code).toBe(1)
    expect(ran.err).toContain('the state is not what the manifest names')
    expect(await runJson<unknown>(['import', file, '--data-dir', at('atlas')])).toMatchObject({ result: 'known' })
  })

  test('counts are added once, and never those of the own mesh', async () => {
    const { file } = await exported('atlas', '--out', at('own.pt'))
    const own = await run(['import', file, '--data-dir', at('boreas')])
    expect([own.code, own.err]).toEqual([1, expect.stringContaining('they would count twice')])
    // the same counts, as a stranger's
    const { tensors } = await tensorsOf(file)
    await writeFile(at('strange.pt'), encodeTorch({ tensors, meta: new Map() }))
    const before = total(await tensorsOf((await exported('boreas', '--out', at('before.pt'))).file))
    const taken = await runJson<{ layer: string; rows: number; leftOut: number }>(['import', at('strange.pt'), '--data-dir', at('boreas')])
    expect(taken).toMatchObject({ leftOut: 0 })
    const after = await exported('boreas', '--out', at('after.pt'))
    expect(after.id).toBe(taken.layer)
    expect(total(await tensorsOf(after.file))).toBe(before + total(await tensorsOf(file)))
    const again = await run(['import', at('strange.pt'), '--data-dir', at('boreas')])
    expect([again.code, again.err]).toEqual([1, expect.stringContaining('were added before')])
  })
})

describe('a node of a mesh that averages', { timeout: PATIENCE_MS }, () => {
  beforeAll(async () => {
    await found('ceres', 'mean')
    await up(at('ceres'), '--no-mine', '--no-farm')
    await writeFile(at('poem.txt'), POEM)
    await sgsdJson(['farm', at('poem.txt'), '--data-dir', at('ceres')])
  }, PATIENCE_MS)

  test('takes its own rows back from either format, into a layer of equal rows', async () => {
    const first = await exported('ceres', '--out', at('mean.pt.zst'))
    const tensors = await exported('ceres', '--format', 'safetensors', '--out', at('mean.safetensors'))
    expect(tensors.id).toBe(first.id)
    for (const file of [first.file, tensors.file]) {
      const taken = await runJson<{ layer: string; leftOut: number }>(['import', file, '--data-dir', at('ceres')])
      expect(taken.leftOut).toBe(0)
      expect(taken.layer).not.toBe(first.id)
      const { file: again } = await exported('ceres', taken.layer, '--format', 'layer', '--out', at(`${taken.layer}.layer`))
      const bundle = splitLayerBundle(new Uint8Array(await readFile(again)))
      const back = bundle.type === 'accept' ? layerTensors(bundle.value) : bundle
      const before = await tensorsOf(first.file)
      for (const name of ['Wτ', 'Wρ', 'rows']) expect(back.type === 'accept' && back.value.tensors.get(name)).toEqual(before.tensors.get(name))
    }
  })

  test('refuses counts, other lattices and what is no layer, each with its reason', async () => {
    await writeFile(at('none.pt'), encodeTorch({ tensors: new Map(), meta: new Map() }))
    await writeFile(at('text.safetensors'), 'hello, world')
    for (const [file, reason] of [
      ['none.pt', 'a sparse matrix Wτ of float32 belongs in the file'],
      ['text.safetensors', 'no safetensors file'],
      ['nothing.pt', 'there is no such file'],
    ] as const) {
      const ran = await run(['import', at(file), '--data-dir', at('ceres')])
      expect([ran.code, ran.err]).toEqual([2, expect.stringContaining(reason)])
    }
  })

  test('exports what it answers from, never over a file that is there', async () => {
    const { file, id } = await exported('ceres', 'consensus', '--out', at('consensus.pt'))
    const { meta, tensors } = await tensorsOf(file)
    expect([...tensors.keys()]).toEqual(['Wτ', 'Wρ', 's'])
    const { consensus, digest } = await headsOf('ceres')
    expect([id, meta.get('consensus'), meta.get('digest')]).toEqual([consensus, consensus, digest])
    expect((await run(['export', '--out', file, '--data-dir', at('ceres')])).err).toContain('--force replaces it')
    expect((await run(['export', 'consensus', '--format', 'layer', '--data-dir', at('ceres')])).code).toBe(2)
  })
})
