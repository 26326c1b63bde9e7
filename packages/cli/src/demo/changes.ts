import { percent, rate, shortPeer } from '../text/figures.ts'
import { coverageOf, epochZeroOf, hasFarmed, isWhole, type NodeView, type Snapshot } from './snapshot.ts'

/** Coverage is spoken of in steps of this share. */
const COVERAGE_STEP = 0.1

/** What happened between two moments, a sentence each, in the order in which it makes sense. Pure. */
export function changesBetween(before: Snapshot | undefined, after: Snapshot): string[] {
  const said: string[] = []
  for (const node of after.nodes)
    said.push(
      ...nodeChanges(
        before?.nodes.find(({ name }) => name === node.name),
        node,
        after,
      ),
    )
  if (isWhole(after) && !(before !== undefined && isWhole(before)) && after.victim.killedAt === undefined) {
    said.push(`all ${after.nodes.length} nodes see each other`)
  }
  const was = Math.floor(bestCoverage(before) / COVERAGE_STEP + 1e-9)
  const is = Math.floor(bestCoverage(after) / COVERAGE_STEP + 1e-9)
  if (is > was) said.push(`epoch 0: ${percent(bestCoverage(after))} covered at ${rate(meshRate(after))}`)
  if (after.local.xor !== undefined && before?.local.xor === undefined) said.push(`without the mesh the epoch's XOR is ${after.local.xor}`)
  if (after.published.length > 0 && (before?.published.length ?? 0) === 0) {
    for (const { name, got, expected, ok } of after.published) said.push(`${name} ${got} ${ok ? 'as published' : `instead of ${expected}`}`)
  }
  return said
}

function nodeChanges(before: NodeView | undefined, after: NodeView, snapshot: Snapshot): string[] {
  const { name, phase, status, range } = after
  const said: string[] = []
  if (phase !== before?.phase) said.push(...phaseChange(after, snapshot))
  if (range !== undefined && before?.range === undefined) {
    const radicals = status?.peers.find((peer) => peer.self)?.radicals.length ?? 0
    said.push(`${name} mines chunks ${range.start} to ${range.start + range.count - 1} and farms the rows of ${radicals} radicals`)
  }
  if (status === undefined) return said
  const { connected } = status.mesh
  if (before?.status !== undefined && connected !== before.status.mesh.connected)
    said.push(`${name} sees ${connected} of ${snapshot.nodes.length - 1} others`)
  const { layer } = status.lattice
  if (layer !== '' && layer !== before?.status?.lattice.layer) said.push(`${name} committed layer ${layer.slice(0, 12)}`)
  if (hasFarmed(status) && !hasFarmed(before?.status))
    said.push(`${name} farmed ${status.lattice.farm.lines} lines, next-line score ${status.lattice.farm.meanScore.toFixed(3)}`)
  const closed = epochZeroOf(status)
  if (closed !== undefined && epochZeroOf(before?.status) === undefined) said.push(`${name} closed epoch 0, ${closed.how}: XOR ${closed.xor}`)
  const { id, heads } = status.consensus
  if (id !== '' && id !== before?.status?.consensus.id)
    said.push(`${name} folds ${heads} ${heads === 1 ? 'head' : 'heads'} to consensus ${id.slice(0, 12)}`)
  return said
}

function phaseChange({ name, phase, status }: NodeView, { victim }: Snapshot): string[] {
  switch (phase) {
    case 'waiting':
    case 'starting':
      return []
    case 'running':
      return [`${name} runs as ${shortPeer(status?.node.peerId ?? '')}, process ${status?.node.pid ?? '?'}`]
    case 'killed':
      return [`${name} was killed with SIGKILL at ${percent(victim.killedAt ?? 0)} of the epoch`]
    case 'back':
      return [`${name} is back after ${((victim.backAfterMs ?? 0) / 1_000).toFixed(1)} s, process ${status?.node.pid ?? '?'}`]
  }
}

/** The furthest that any running node has seen the epoch. */
export function bestCoverage(snapshot: Snapshot | undefined): number {
  return Math.max(0, ...(snapshot?.nodes ?? []).map(({ status }) => coverageOf(status)))
}

/** Colours per second of all nodes that run. */
export function meshRate(snapshot: Snapshot): number {
  return snapshot.nodes.reduce((sum, { phase, status }) => sum + (phase === 'killed' ? 0 : (status?.colours.rateHere ?? 0)), 0)
}
