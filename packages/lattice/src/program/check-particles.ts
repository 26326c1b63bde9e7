import type { DocumentNode } from './document.ts'
import { quoted } from './fault.ts'
import { choiceIn, type Faults, fieldsOf, type Part, shown, wholeIn } from './fields.ts'
import { MAX_PARTICLES, type ParticleName, type ProgramAction } from './program.ts'

/** The beginning of a layer id: six digits are ambiguous among 4,000 layers once in two. */
const LAYER_PREFIX = /^[0-9a-f]{6,64}$/

/** `load_particles: {layers: [...], weigh: ..., into: ...}`, or only the list of layers. */
export function checkParticles(part: Part, faults: Faults): ProgramAction | undefined {
  if (part.node.kind === 'list') return action(layersIn(part, faults), 'equal', 'start')
  const fields = fieldsOf(part, ['layers', 'weigh', 'into'], faults)
  if (fields === undefined) return undefined
  const named = fields.get('layers')
  if (named === undefined) return faults.add(part.at, part.path, 'load_particles needs layers: a list of own, consensus, {parents: 3} or layer ids')
  const weigh = fields.get('weigh')
  const into = fields.get('into')
  return action(
    layersIn(named, faults),
    weigh === undefined ? 'equal' : choiceIn(weigh, ['equal', 'likeness'] as const, faults),
    into === undefined ? 'start' : choiceIn(into, ['start', 'teacher'] as const, faults),
  )
}

function action(
  layers: readonly ParticleName[] | undefined,
  weigh: 'equal' | 'likeness' | undefined,
  into: 'start' | 'teacher' | undefined,
): ProgramAction | undefined {
  return layers === undefined || weigh === undefined || into === undefined ? undefined : { op: 'load_particles', layers, weigh, into }
}

function layersIn(part: Part, faults: Faults): readonly ParticleName[] | undefined {
  const { node, at, path, subject } = part
  if (node.kind !== 'list' || node.items.length === 0 || node.items.length > MAX_PARTICLES) {
    const size = node.kind === 'list' ? `a list of ${node.items.length}` : shown(node)
    return faults.add(at, path, `${subject} must be a list of 1 to ${MAX_PARTICLES} layers, not ${size}`)
  }
  const names = node.items.map((item, index) => layerIn({ node: item, at: item.at, path: `${path}[${index}]`, subject }, faults))
  return names.every((name) => name !== undefined) ? names : undefined
}

function layerIn(part: Part, faults: Faults): ParticleName | undefined {
  const { node, at, path, subject } = part
  if (node.kind === 'map') {
    const count = fieldsOf(part, ['parents'], faults)?.get('parents')
    if (count === undefined) return node.entries.length > 0 ? undefined : faults.add(at, path, `${subject}: {parents: 3} is meant by a map`)
    const parents = wholeIn({ ...count, subject: `${subject}.parents` }, 1, MAX_PARTICLES, faults)
    return parents === undefined ? undefined : { kind: 'parents', count: parents }
  }
  const written = textOf(node)
  if (written === 'own' || written === 'consensus') return { kind: written }
  if (written !== undefined && LAYER_PREFIX.test(written)) return { kind: 'layer', prefix: written }
  return faults.add(
    at,
    path,
    `${subject}: a layer is own, consensus, {parents: 3} or 6 to 64 hex digits of its id, not ${written === undefined ? shown(node) : quoted(written)}`,
  )
}

/** A layer id of digits only looks like a number. */
function textOf(node: DocumentNode): string | undefined {
  return node.kind === 'text' ? node.value : node.kind === 'number' ? node.source : undefined
}
