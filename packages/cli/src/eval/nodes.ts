import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import type { FarmAccepted, FarmDocument, InviteDocument, StatusDocument } from '@sgsd/daemon'
import { linesOf, type TextDocument } from '@sgsd/lattice'
import { NodeProcess } from '../demo/node-process.ts'
import type { DaemonEdge } from '../edges.ts'

const POLL_MS = 500
/** How long nodes that have farmed everything may take to hold what is expected: 80 s were seen on two busy cores. */
const AGREE_MS = 300_000

export interface NodesRun {
  readonly daemon: DaemonEdge
  /** A directory of its own, with a short path. */
  readonly root: string
  /** What each node farms. */
  readonly hands: readonly (readonly TextDocument[])[]
  /** The digest that all should end with. */
  readonly expected: string
  readonly signal: AbortSignal
  readonly onLines: (farmed: number) => void
}

export interface NodesOutcome {
  /** Each node's consensus digest, by its own status. */
  readonly digests: readonly string[]
  /** From the first line sent to the last digest as expected, or until patience ended. */
  readonly ms: number
}

/**
 * A mesh of daemons, each a process of its own on loopback; every one farms its own text, and in the end says what its consensus is.
 * @throws CliError NODE_FAILED when a node ends by itself; the signal's reason when it fires
 */
export async function farmOnNodes({ daemon, root, hands, expected, signal, onLines }: NodesRun): Promise<NodesOutcome> {
  const nodes = hands.map((_, i) => {
    const dir = join(root, `n${i + 1}`)
    return new NodeProcess(`n${i + 1}`, dir, daemon.openControl(dir), false)
  })
  try {
    await found(daemon, nodes, signal)
    const began = performance.now()
    const turns = await Promise.all(nodes.map((node, i) => give(node, hands[i]!, signal)))
    await until(nodes, signal, Infinity, async () => {
      const farms = await Promise.all(nodes.map(({ control }, i) => control.get<FarmDocument>(`/v1/farm?turn=${turns[i]}`, signal)))
      onLines(farms.reduce((sum, { lines }) => sum + lines, 0))
      return farms.every(({ leftUpTo, uncommittedUpTo }) => leftUpTo === 0 && uncommittedUpTo === 0)
    })
    let digests: readonly string[] = []
    await until(nodes, signal, AGREE_MS, async () => {
      digests = await Promise.all(nodes.map(async ({ control }) => (await control.get<StatusDocument>('/v1/status', signal)).consensus.digest))
      return digests.every((digest) => digest === expected)
    })
    return { digests, ms: Math.round(performance.now() - began) }
  } finally {
    await Promise.allSettled(nodes.map((node) => node.stop()))
  }
}

async function found(daemon: DaemonEdge, nodes: readonly NodeProcess[], signal: AbortSignal): Promise<void> {
  const [first, ...others] = nodes as readonly [NodeProcess, ...NodeProcess[]]
  await mkdir(first.dir, { recursive: true })
  await daemon.initDataDir(first.dir, { ...options(first), meshName: 'eval', fold: 'evidence/1' })
  first.start()
  await first.ready(signal)
  const { invites } = await first.control.get<InviteDocument>('/v1/invite', signal)
  for (const node of others) {
    await mkdir(node.dir, { recursive: true })
    await daemon.joinMesh(node.dir, invites[0] ?? '', options(node), signal)
    node.start()
    await node.ready(signal)
  }
}

/** Loopback only, found by the invite alone; no mining and no text but the one given. */
function options({ name }: NodeProcess): Parameters<DaemonEdge['joinMesh']>[2] & object {
  return {
    name,
    listen: ['/ip4/127.0.0.1/tcp/0'],
    config: { mdns: false, tailscale: false, mine: { auto: false }, farm: { auto: false } },
  }
}

/** @returns the text's place in the node's queue */
async function give({ name, control }: NodeProcess, documents: readonly TextDocument[], signal: AbortSignal): Promise<number> {
  const text = `${linesOf(documents).join('\n')}\n`
  const { turn } = await control.send<FarmAccepted>(`/v1/farm?name=${name}`, Readable.from([Buffer.from(text)]), signal)
  return turn
}

async function until(nodes: readonly NodeProcess[], signal: AbortSignal, patienceMs: number, done: () => Promise<boolean>): Promise<void> {
  const began = performance.now()
  while (!(await done()) && performance.now() - began < patienceMs) {
    for (const node of nodes) if (node.lost) throw await node.failure()
    await pause(POLL_MS, undefined, { signal })
  }
}
