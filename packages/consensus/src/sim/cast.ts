import type { PeerName } from '../ids.ts'
import type { Chance } from './chance.ts'
import { forgerCount, type SimOptions } from './options.ts'

/** What a member is like. */
export type Role = 'honest' | 'forger' | 'equivocator' | 'withholder' | 'framer' | 'sybil'

/** A member, or an id that would like to be one. */
export interface Actor {
  readonly index: number
  readonly peer: PeerName
  readonly role: Role
  /** Finds what others do and never says it. A forger does not say it either. */
  readonly isSilent: boolean
  /** 32 bytes that nobody else knows. */
  readonly secret: Uint8Array
}

const CAST = 1
const SECRET = 2

/** Who plays what: offenders are drawn from all members, colluders from all of them, Sybils come last. */
export function castOf(options: SimOptions, chance: Chance): readonly Actor[] {
  const { nodes, collude } = options
  const order = Array.from({ length: nodes }, (_, index) => index).sort((a, b) => chance.draw(CAST, a) - chance.draw(CAST, b) || a - b)
  const roles = new Map<number, Role>()
  const wanted = { forger: forgerCount(options), equivocator: options.equivocators, withholder: options.withholders, framer: options.framers }
  let next = 0
  for (const [role, count] of Object.entries(wanted) as [Role, number][]) for (let i = 0; i < count; i++) roles.set(order[next++]!, role)
  const silent = new Set(order.toReversed().slice(0, Math.round(nodes * collude)))
  const members = Array.from({ length: nodes }, (_, index) => actorOf(index, roles.get(index) ?? 'honest', silent.has(index), chance))
  return [...members, ...Array.from({ length: options.sybils }, (_, i) => actorOf(nodes + i, 'sybil', true, chance))]
}

/** A member that does nothing wrong, whatever it keeps to itself. */
export function isInnocent({ role }: Actor): boolean {
  return role === 'honest' || role === 'withholder'
}

function actorOf(index: number, role: Role, isSilent: boolean, chance: Chance): Actor {
  const secret = new Uint8Array(32)
  const words = new Uint32Array(secret.buffer)
  for (let i = 0; i < words.length; i++) words[i] = chance.draw(SECRET, index, i)
  const name = `${role === 'sybil' ? 'sybil' : 'node'}-${String(index).padStart(4, '0')}`
  return { index, peer: name as PeerName, role, isSilent: isSilent || role === 'forger', secret }
}
