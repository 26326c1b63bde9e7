import { createReadStream } from 'node:fs'
import { appendFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { zstdDecompressSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { BlockId, LayerManifest } from '../packages/consensus/src/index.ts'
import { type Config, type FarmAccepted, type FarmDocument, initDataDir, openControl, type StatusDocument } from '../packages/daemon/src/index.ts'
import { openStore } from '../packages/store/src/index.ts'
import { parseLineage, parseManifest } from '../packages/wire/src/index.ts'
import { killAll, sgsd, statusWhen, up } from './sgsd.ts'

const PATIENCE_MS = 180_000
const POEMS = new URL('../packages/lattice/data/corpus/tang.txt.zst', import.meta.url)
/** Lines of poems: some seconds of farming. */
const LINES = 6_000

let root: string
const at = (name: string): string => join(root, name)

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sgsd-farm-'))
  const poems = zstdDecompressSync(await readFile(POEMS))
    .toString('utf8')
    .split('\n')
    .slice(0, LINES)
  await writeFile(at('poems.txt'), `${poems.join('\n')}\n`)
})

afterAll(async () => {
  await killAll()
  await rm(root, { recursive: true, force: true })
})

/** A node that makes a layer of every 10 host calls. */
const init = (name: string, farm: Partial<Config['farm']> = {}): Promise<unknown> =>
  initDataDir(at(name), { name, listen: ['/ip4/127.0.0.1/tcp/0'], config: { mdns: false, tailscale: false, farm: { callsPerLayer: 10, ...farm } } })
const give = (name: string): Promise<FarmAccepted> =>
  openControl(at(name)).send<FarmAccepted>('/v1/farm?name=poems.txt', createReadStream(at('poems.txt')) as AsyncIterable<Buffer>)

const start = (name: string): ReturnType<typeof up> => up(at(name), '--no-mine', '--no-farm')
const farmed = ({ lattice: { farm } }: StatusDocument): boolean => farm.state === 'done' && farm.lines === farm.total && farm.total > 0

/** The newest layer of a node that does not run, and which lines its chain of layers says it learned. */
async function layerOf(name: string, layer: string): Promise<{ manifest: LayerManifest; lines: readonly number[] }> {
  await using store = await openStore(at(name))
  const read = async (id: string): Promise<LayerManifest> => {
    const manifest = parseManifest((await store.blocks.get(id as BlockId))!)
    if (manifest.type !== 'accept') throw new Error(manifest.reason)
    return manifest.value
  }
  const newest = await read(layer)
  const lines: number[] = []
  for (let manifest: LayerManifest | undefined = newest; manifest !== undefined;) {
    const lineage = parseLineage((await store.blocks.get(manifest.lineage))!)
    if (lineage.type !== 'accept') throw new Error(lineage.reason)
    lines.unshift(...lineage.value.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, i) => from + i)))
    manifest = manifest.parents[0] === undefined ? undefined : await read(manifest.parents[0])
  }
  return { manifest: newest, lines }
}

describe('a daemon that is killed while it farms', { timeout: PATIENCE_MS }, () => {
  test('goes on at the line: its layer is to the byte that of one that was never killed', async () => {
    await Promise.all([init('whole'), init('killed')])
    const whole = await start('whole')
    await give('whole')
    const steady = (await statusWhen(at('whole'), farmed)).lattice.layer
    await whole.kill()

    let killed = await start('killed')
    await give('killed')
    let deaths = 0
    // how many layers it takes depends on how long a commit takes
    for (const layers of [1, 2]) {
      const { lattice } = await statusWhen(at('killed'), (status) => status.lattice.layers >= layers || farmed(status))
      if (lattice.farm.state !== 'done') deaths += 1
      await killed.kill()
      killed = await start('killed')
    }
    expect(deaths).toBeGreaterThan(0)
    // known by its bytes: what was farmed is not farmed again
    expect(await give('killed')).toMatchObject({ taken: 0, known: LINES })
    const newest = (await statusWhen(at('killed'), farmed)).lattice.layer
    await killed.kill()

    const [one, other] = [await layerOf('whole', steady), await layerOf('killed', newest)]
    expect(other.manifest.blocks).toEqual(one.manifest.blocks)
    expect(other.manifest.state).toBe(one.manifest.state)
    for (const { lines } of [one, other]) expect(lines).toEqual(Array.from({ length: LINES }, (_, i) => i))
  })
})

describe('a watched folder', { timeout: PATIENCE_MS }, () => {
  test('is farmed as files come and grow, and tells of those that cannot be', async () => {
    await mkdir(at('texts/tang'), { recursive: true })
    await writeFile(at('texts/tang/a.txt'), '天地玄黃\n宇宙洪荒\n')
    await writeFile(at('texts/gb.txt'), Buffer.from([0xc4, 0xe3, 0x0a]))
    await writeFile(at('texts/notes.md'), '日月盈昃\n')
    await init('watcher', { dir: at('texts') })
    const watcher = await start('watcher')
    const first = await statusWhen(at('watcher'), farmed)
    expect(first.lattice.farm.total).toBe(2)
    await appendFile(at('texts/tang/a.txt'), '日月盈昃\n辰宿列張\n')
    await statusWhen(at('watcher'), (status) => farmed(status) && status.lattice.farm.total === 4)
    await rename(at('texts/tang/a.txt'), at('texts/tang/b.txt'))
    const farm = await until(
      () => openControl(at('watcher')).get<FarmDocument>('/v1/farm'),
      ({ dir }) => dir?.files === 2 && dir.waiting === 1,
    )
    expect(farm.texts.map(({ name, lines }) => [name, lines])).toEqual([['texts/tang/a.txt', 4]])
    expect(farm.dir?.errors).toEqual([
      { file: 'texts/gb.txt', message: 'texts/gb.txt is not UTF-8: at byte offset 0, in line 1', hint: expect.stringMatching(/iconv/) },
    ])
    const { warnings } = await openControl(at('watcher')).get<StatusDocument>('/v1/status')
    expect(warnings).toContainEqual({ message: expect.stringMatching(/gb\.txt is not UTF-8/), hint: expect.stringMatching(/iconv/) })
    const text = await sgsd(['farm', 'status', '--data-dir', at('watcher')])
    expect(text.out).toMatch(/folder .*texts: 2 text files[\s\S]*texts\/tang\/a\.txt +done +4 +100%/)
    await watcher.kill()
  })
})

async function until<T>(read: () => Promise<T>, wanted: (value: T) => boolean): Promise<T> {
  const giveUpAt = performance.now() + 60_000
  for (;;) {
    const value = await read()
    if (wanted(value)) return value
    if (performance.now() > giveUpAt) throw new Error(`never: ${JSON.stringify(value)}`)
    await new Promise((resolve) => setTimeout(resolve, 300))
  }
}
