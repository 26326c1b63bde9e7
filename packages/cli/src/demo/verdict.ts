import { epochZeroOf, hasFarmed, type NodeView, type Snapshot } from './snapshot.ts'

/** One thing that the demo has to show. */
export interface Condition {
  readonly name: 'consensus' | 'epoch' | 'local' | 'published' | 'recovery'
  readonly ok: boolean
  /** What holds, or what is still missing. */
  readonly why: string
}

/** Whether a snapshot shows everything that the demo promises. Pure; each condition says why it does not hold. */
export function verdictOf(snapshot: Snapshot): readonly Condition[] {
  return [consensus(snapshot), epoch(snapshot), local(snapshot), published(snapshot), recovery(snapshot)]
}

function consensus({ nodes }: Snapshot): Condition {
  const name = 'consensus'
  const missing = (why: string): Condition => ({ name, ok: false, why })
  const idle = nodes.filter(({ status }) => !hasFarmed(status))
  if (idle.length > 0) return missing(`${names(idle)} not done with farming`)
  const fewHeads = nodes.filter(({ status }) => (status?.consensus.heads ?? 0) < nodes.length)
  if (fewHeads.length > 0) return missing(`${names(fewHeads)} without the layers of all`)
  const ids = new Set(nodes.map(({ status }) => status!.consensus.id))
  if (ids.size > 1 || ids.has('')) return missing(`${ids.size} different consensus ids`)
  const digests = new Set(nodes.map(({ status }) => status!.consensus.digest))
  if (digests.size > 1) return missing(`one consensus id, but ${digests.size} different digests of its bytes`)
  return { name, ok: true, why: `${nodes.length} nodes hold consensus ${[...ids][0]!.slice(0, 12)}` }
}

function epoch({ nodes }: Snapshot): Condition {
  const name = 'epoch'
  const open = nodes.filter(({ status }) => epochZeroOf(status) === undefined)
  if (open.length > 0) return { name, ok: false, why: `epoch 0 is not closed on ${list(open)}` }
  const adopted = nodes.filter(({ status }) => epochZeroOf(status)!.how !== 'computed')
  if (adopted.length > 0) return { name, ok: false, why: `${list(adopted)} took the epoch from others instead of computing it` }
  const xors = new Set(nodes.map(({ status }) => epochZeroOf(status)!.xor))
  if (xors.size > 1) return { name, ok: false, why: `${xors.size} different epoch XORs: ${[...xors].join(', ')}` }
  return { name, ok: true, why: `${nodes.length} nodes closed epoch 0 with XOR ${[...xors][0]!}` }
}

function local({ nodes, local }: Snapshot): Condition {
  const name = 'local'
  if (local.xor === undefined) return { name, ok: false, why: 'the epoch is not yet computed without the mesh' }
  const other = nodes.find(({ status }) => epochZeroOf(status)?.xor !== local.xor)
  if (other === undefined) return { name, ok: true, why: `the same XOR without the mesh: ${local.xor}` }
  return { name, ok: false, why: `without the mesh the XOR is ${local.xor}, ${other.name} has ${epochZeroOf(other.status)?.xor ?? 'none yet'}` }
}

function published({ published }: Snapshot): Condition {
  const name = 'published'
  if (published.length === 0) return { name, ok: false, why: 'the published figures are not yet computed' }
  const wrong = published.find(({ ok }) => !ok)
  if (wrong !== undefined) return { name, ok: false, why: `${wrong.name}: ${wrong.got} instead of ${wrong.expected}` }
  return { name, ok: true, why: published.map(({ name, got }) => `${name} ${got}`).join(', ') }
}

function recovery({ nodes, victim }: Snapshot): Condition {
  const name = 'recovery'
  if (victim.killedAt === undefined) return { name, ok: false, why: `${victim.name} was not yet killed` }
  const killed = nodes.find((node) => node.name === victim.name)
  if (victim.backAfterMs === undefined || killed?.phase !== 'back') return { name, ok: false, why: `${victim.name} was killed and is not back` }
  const id = killed.status?.consensus.id
  const apart = nodes.find(({ status }) => status?.consensus.id !== id)
  if (id === undefined || id === '' || apart !== undefined)
    return { name, ok: false, why: `${victim.name} is back, but not yet at the consensus of the others` }
  const share = Math.round(victim.killedAt * 100)
  return {
    name,
    ok: true,
    why: `${victim.name} was killed at ${share}%, answered again after ${(victim.backAfterMs / 1_000).toFixed(1)} s and holds the same consensus`,
  }
}

function names(nodes: readonly NodeView[]): string {
  return `${list(nodes)} ${nodes.length === 1 ? 'is' : 'are'}`
}

function list(nodes: readonly NodeView[]): string {
  return nodes.map(({ name }) => name).join(', ')
}
