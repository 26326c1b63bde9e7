/**
 * Real daemons, a process each, on loopback: how soon a fresh node has its first peer and the mesh's consensus, how long the own node takes to
 * be back after SIGKILL, and what an idle and a mining node need.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { initDataDir, joinMesh, openControl, readDefaultCorpus, type StatusDocument } from '../packages/daemon/src/index.ts'
import { type Bench, type BenchRow, median } from './bench.ts'

const MAIN = join(import.meta.dirname, '..', 'packages', 'cli', 'src', 'main.ts')
const ROUNDS = 5
const PATIENCE_MS = 60_000
/** How long an idle and a mining node are watched, ms. */
const WATCH_MS = 10_000
const CONFIG = {
  mdns: false,
  tailscale: false,
  mine: { auto: false, threads: 1 },
  farm: { auto: false, callsPerLayer: 1 },
  log: { level: 'error' },
} as const
const LOOPBACK = { listen: ['/ip4/127.0.0.1/tcp/0'], config: CONFIG }

export const bench: Bench = {
  name: 'daemons',
  async run(): Promise<BenchRow[]> {
    const root = await mkdtemp(join(tmpdir(), 'sgsd-b-'))
    const children: ChildProcess[] = []
    try {
      return await measure(root, children)
    } finally {
      for (const child of children) child.kill('SIGKILL')
      await rm(root, { recursive: true, force: true, maxRetries: 5 })
    }
  },
}

async function measure(root: string, children: ChildProcess[]): Promise<BenchRow[]> {
  const first = join(root, 'a')
  await initDataDir(first, { name: 'a', meshName: 'bench', ...LOOPBACK })
  children.push(start(first))
  await until(first, () => true)
  const corpus = await readDefaultCorpus()
  await openControl(first).send(`/v1/farm?name=${encodeURIComponent(corpus.name)}`, Readable.from([corpus.bytes]))
  await until(first, (status) => status.lattice.farm.state === 'done')
  const settled = await until(first, (status) => status.consensus.heads === 1 && status.consensus.changedMsAgo > 2_000)
  const { invites } = await openControl(first).get<{ invites: readonly string[] }>('/v1/invite')
  const firstPeer: number[] = []
  const equal: number[] = []
  const back: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const dir = join(root, `n${round}`)
    await joinMesh(dir, invites[0]!, { name: `n${round}`, ...LOOPBACK })
    const began = performance.now()
    const child = start(dir)
    children.push(child)
    await until(dir, (status) => status.mesh.connected > 0)
    firstPeer.push(performance.now() - began)
    const same = (status: StatusDocument): boolean =>
      status.consensus.id === settled.consensus.id && status.consensus.digest === settled.consensus.digest
    await until(dir, same)
    equal.push(performance.now() - began)
    await kill(child, 'SIGKILL')
    const again = performance.now()
    const restarted = start(dir)
    children.push(restarted)
    await until(dir, (status) => status.mesh.connected > 0 && same(status))
    back.push(performance.now() - again)
    await kill(restarted, 'SIGTERM')
  }
  const idle = await watch(first)
  await openControl(first).post('/v1/mine', { action: 'start' })
  const mining = await watch(first)
  const row = (name: string, value: number, unit: string, note: string): BenchRow => ({ bench: 'daemons', case: name, value, unit, note })
  return [
    row(
      'fresh node: process start to first peer',
      median(firstPeer),
      'ms',
      `median of ${ROUNDS}, worst ${Math.round(Math.max(...firstPeer))} ms; budget 5,000`,
    ),
    row('fresh node: process start to the same consensus', median(equal), 'ms', `worst ${Math.round(Math.max(...equal))} ms; budget 15,000`),
    row('after SIGKILL: process start to peer and consensus', median(back), 'ms', `worst ${Math.round(Math.max(...back))} ms`),
    row('idle node: resident memory', idle.rssMb, 'MB', 'aim 150, in the checkout with types stripped at run time'),
    row('idle node: processor', idle.cpuPercent, '% of a core', 'aim 1'),
    row('idle node: event loop delay p99', idle.delayMs, 'ms', 'since its start'),
    row('mining node, 1 thread: resident memory', mining.rssMb, 'MB', 'aim 250'),
    row('mining node, 1 thread: event loop delay p99', mining.delayMs, 'ms', 'since its start; aim 50'),
  ]
}

function start(dir: string): ChildProcess {
  return spawn(process.execPath, [...process.execArgv, MAIN, 'up', '--data-dir', dir], { stdio: 'ignore' })
}

async function kill(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const gone = once(child, 'exit')
  child.kill(signal)
  await gone
}

/** The first status for which `good` holds. */
async function until(dir: string, good: (status: StatusDocument) => boolean): Promise<StatusDocument> {
  const control = openControl(dir)
  for (const deadline = performance.now() + PATIENCE_MS; performance.now() < deadline; await sleep(25)) {
    const status = await control.get<StatusDocument>('/v1/status').catch(() => undefined)
    if (status !== undefined && good(status)) return status
  }
  throw new Error(`the daemon on ${dir} did not come so far within ${PATIENCE_MS / 1_000} s`)
}

async function watch(dir: string): Promise<{ readonly rssMb: number; readonly cpuPercent: number; readonly delayMs: number }> {
  const before = await until(dir, () => true)
  const used = await cpuMs(before.node.pid)
  await sleep(WATCH_MS)
  const { node } = await until(dir, () => true)
  return { rssMb: node.rssBytes / 2 ** 20, cpuPercent: (100 * ((await cpuMs(node.pid)) - used)) / WATCH_MS, delayMs: node.loopDelayP99Ms }
}

/** Processor time of a process, from /proc; NaN where there is none. */
async function cpuMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  // user and system time in ticks of 10 ms
  return 10 * (Number(fields[11]) + Number(fields[12]))
}
