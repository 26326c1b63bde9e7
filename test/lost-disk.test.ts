import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { FarmAccepted, StatusDocument } from '../packages/daemon/src/control/api.ts'
import { initDataDir, joinMesh, openControl } from '../packages/daemon/src/index.ts'
import { openStore } from '../packages/store/src/index.ts'
import { killAll, statusWhen, up } from './sgsd.ts'

const PATIENCE_MS = 120_000
const node = { listen: ['/ip4/127.0.0.1/tcp/0'], config: { mdns: false, tailscale: false, mine: { epochs: 1, threads: 1 } } }

let root: string
const at = (name: string): string => join(root, name)
const farm = (name: string, text: string): Promise<unknown> =>
  openControl(at(name)).send<FarmAccepted>(`/v1/farm?name=${text.length}`, Readable.from([Buffer.from(text)]))

/** What a node that does not run has on disk: keys of items by kind. */
async function signedBy(name: string): Promise<Record<string, readonly string[]>> {
  await using store = await openStore(at(name))
  const found: Record<string, string[]> = {}
  for (const { kind, key } of store.items.items()) (found[kind] ??= []).push(key)
  return found
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sgsd-lost-'))
})

afterAll(async () => {
  await killAll()
  await rm(root, { recursive: true, force: true })
})

describe('a node that comes back without its state', { timeout: PATIENCE_MS }, () => {
  test('signs nothing twice: it learns from the others what it has signed, and goes on behind it', async () => {
    await initDataDir(at('a'), { ...node, name: 'atlas', open: true, epochColours: 2n ** 28n })
    const a = await up(at('a'), '--no-mine', '--no-farm')
    await joinMesh(at('b'), a.multiaddrs[0]!, { ...node, name: 'boreas' })
    let b = await up(at('b'), '--no-mine', '--no-farm')
    await Promise.all(['a', 'b'].map((name) => statusWhen(at(name), ({ mesh }) => mesh.members === 2)))
    await farm('b', '天地玄黃\n宇宙洪荒\n')
    await Promise.all(['a', 'b'].map((name) => openControl(at(name)).post('/v1/mine', { action: 'start' })))
    const isDone = ({ colours, consensus }: StatusDocument): boolean => colours.state === 'done' && consensus.heads === 1
    await Promise.all(['a', 'b'].map((name) => statusWhen(at(name), isDone)))

    await b.kill()
    for (const file of await readdir(at('b'))) if (/\.db(-|$)/.test(file)) await rm(join(at('b'), file))
    b = await up(at('b'), '--no-mine', '--no-farm')
    await statusWhen(at('b'), ({ mesh, consensus, colours }) => mesh.members === 2 && consensus.heads === 1 && colours.closed.length > 0)
    // what it signs from now on has new numbers: another text makes another head
    const before = (await openControl(at('b')).get<StatusDocument>('/v1/status')).lattice.layer
    await farm('b', '日月盈昃\n辰宿列張\n寒來暑往\n')
    const { lattice } = await statusWhen(at('b'), (status) => status.lattice.farm.state === 'done' && status.lattice.layer !== before)
    const seen = await statusWhen(at('a'), ({ peers, mesh }) => mesh.agreeing === 2 && peers.some(({ head }) => head === lattice.layer))

    expect(seen.trust.excluded).toEqual([])
    expect(seen.warnings.filter(({ message }) => /equivocation|excluded|refused/.test(message))).toEqual([])
    await Promise.all([a.kill(), b.kill()])
    for (const name of ['a', 'b']) {
      const signed = await signedBy(name)
      expect(signed['equivocation']).toBeUndefined()
      expect(signed['record']).toHaveLength(2)
      expect(signed['head']).toHaveLength(1)
    }
  })
})
