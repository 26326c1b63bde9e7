import { DEFAULT_MAX_STEPS, DEFAULT_TOLERANCE } from '../converge.ts'
import type { DocumentNode } from './document.ts'
import { nearestHint, type ProgramFault, quoted } from './fault.ts'
import { choiceIn, Faults, fieldsOf, listed, type Part, shown, textIn, truthIn, wholeIn, within } from './fields.ts'
import { checkParticles } from './check-particles.ts'
import { PARAMETER_NAMES, type Parameters, parametersIn, ruleOf } from './parameters.ts'
import { MAX_OPS, MAX_REPORTED, MAX_TEXT, MAX_TOP, OP_NAMES } from './program.ts'
import type { Program, ProgramAction, ProgramOp, ProgramOutputs } from './program.ts'

export type ProgramResult = { readonly program: Program } | { readonly faults: readonly ProgramFault[] }

/** Longest title, code units. */
const MAX_NAME = 200
/** What `outputs.top` is unless said. */
const DEFAULT_TOP = 10
/** A text of this value takes the teacher away. */
const NO_TEACHER = 'none'

/** The grammar of docs/trajectories.md: a document becomes a program, or every fault that it has (the first MAX_FAULTS). Total. */
export function checkProgram(document: DocumentNode): ProgramResult {
  const faults = new Faults()
  const root: Part = { node: document, at: document.at, path: '', subject: 'a program' }
  const fields = fieldsOf(root, ['version', 'name', 'parameters', 'outputs', 'program'], faults)
  if (fields === undefined) return { faults: faults.found }
  checkVersion(root, fields.get('version'), faults)
  const name = optional(fields.get('name'), (part) => textIn(part, MAX_NAME, faults)) ?? ''
  const parameters: Parameters = optional(fields.get('parameters'), (part) => parametersIn(part, ['profile', ...PARAMETER_NAMES], faults)) ?? {}
  const outputs = checkOutputs(fields.get('outputs'), faults)
  // a wrong parameter is one fault, not one for every converge that inherits it
  const sound = faults.count === 0 && ruleOf(parameters, fields.get('parameters') ?? root, faults) !== undefined
  const ops = checkOps(root, fields.get('program'), sound ? parameters : undefined, faults)
  const top = fields.get('outputs')
  if (ops.length * outputs.top > MAX_REPORTED && top !== undefined) {
    faults.add(top.at, top.path, `outputs.top ${outputs.top} of ${ops.length} ops are more than ${MAX_REPORTED} characters to report`)
  }
  if (faults.count > 0) return { faults: faults.found }
  return { program: { version: 1, name, profile: parameters.profile ?? 'stable', outputs, ops } }
}

function checkVersion(root: Part, part: Part | undefined, faults: Faults): void {
  if (part === undefined) faults.add(root.at, '', 'a program begins with version: 1')
  else if (part.node.kind !== 'number' || part.node.value !== 1) faults.add(part.at, part.path, `version must be 1, not ${shown(part.node)}`)
}

function checkOutputs(part: Part | undefined, faults: Faults): ProgramOutputs {
  const fields = optional(part, (outputs) => fieldsOf(outputs, ['top', 'include_cover', 'energy'], faults))
  return {
    top: optional(fields?.get('top'), (top) => wholeIn(top, 0, MAX_TOP, faults)) ?? DEFAULT_TOP,
    includeCover: optional(fields?.get('include_cover'), (cover) => truthIn(cover, faults)) ?? false,
    energy: optional(fields?.get('energy'), (energy) => choiceIn(energy, ['steps', 'ends', 'none'] as const, faults)) ?? 'steps',
  }
}

function checkOps(root: Part, part: Part | undefined, parameters: Parameters | undefined, faults: Faults): ProgramOp[] {
  if (part === undefined) {
    faults.add(root.at, '', `a program has a list of ops under program:, each ${listed(OP_NAMES, 'or')}`)
    return []
  }
  const { node } = part
  if (node.kind !== 'list' || node.items.length === 0) {
    faults.add(part.at, part.path, `program must be a list of ops, not ${node.kind === 'list' ? 'an empty one' : shown(node)}`)
    return []
  }
  if (node.items.length > MAX_OPS) {
    faults.add(part.at, part.path, `program has ${node.items.length} ops; ${MAX_OPS} are the most`)
    return []
  }
  const ops: ProgramOp[] = []
  let results = false
  for (const [index, item] of node.items.entries()) {
    const place: Part = { node: item, at: item.at, path: `program[${index}]`, subject: 'an op' }
    const action = checkOp(place, parameters, faults)
    if (action === undefined) {
      // a converge that is at fault would have had a result
      results = true
      continue
    }
    if (action.op === 'feedback' && !results) {
      faults.add(place.at, place.path, 'feedback needs the result of a converge since the last reset, and there is none before it')
    }
    if (action.op === 'converge') results = true
    if (action.op === 'reset') results = false
    ops.push({ ...action, at: item.at })
  }
  return ops
}

/** `- reset`, or a map of one op name. */
function checkOp(part: Part, parameters: Parameters | undefined, faults: Faults): ProgramAction | undefined {
  const { node, at, path } = part
  if (node.kind === 'text') return actionOf(node.value, { ...part, node: { at, kind: 'nothing' }, subject: node.value }, parameters, faults)
  if (node.kind === 'map' && node.entries.length === 1) {
    const [entry] = node.entries
    return actionOf(entry!.key, { ...within(part, entry!), subject: entry!.key }, parameters, faults)
  }
  if (node.kind === 'map') {
    const keys = node.entries.slice(0, 4).map(({ key }) => quoted(key))
    return faults.add(at, path, `an op has one name; this one has ${keys.length === 0 ? 'none' : listed(keys)}`)
  }
  return faults.add(at, path, `an op is ${listed(OP_NAMES, 'or')}, not ${shown(node)}`)
}

function actionOf(name: string, part: Part, parameters: Parameters | undefined, faults: Faults): ProgramAction | undefined {
  switch (name) {
    case 'reset':
      if (part.node.kind === 'nothing') return { op: 'reset' }
      return faults.add(part.at, part.path, `reset takes nothing, not ${shown(part.node)}`)
    case 'cover': {
      const text = textIn(part, MAX_TEXT, faults)
      return text === undefined ? undefined : { op: 'cover', text }
    }
    case 'teacher': {
      const text = textIn(part, MAX_TEXT, faults)
      return text === undefined ? undefined : { op: 'teacher', text: text === NO_TEACHER ? undefined : text }
    }
    case 'converge':
      return checkConverge(part, parameters, faults)
    case 'feedback': {
      const into = part.node.kind === 'nothing' ? 'start' : choiceIn(part, ['start', 'teacher', 'both'] as const, faults)
      return into === undefined ? undefined : { op: 'feedback', into }
    }
    case 'load_particles':
      return checkParticles(part, faults)
    default: {
      const hint = nearestHint(name, OP_NAMES)
      return faults.add(part.at, part.path, `there is no op ${quoted(name)}${hint === '' ? `; the ops are ${listed(OP_NAMES)}` : hint}`)
    }
  }
}

/** @param inherited - what the program sets for all; undefined: it is at fault itself, and says nothing about this converge */
function checkConverge(part: Part, inherited: Parameters | undefined, faults: Faults): ProgramAction | undefined {
  const before = faults.count
  const own = part.node.kind === 'nothing' ? {} : parametersIn(part, PARAMETER_NAMES, faults)
  if (inherited === undefined || faults.count > before) return undefined
  const parameters = { ...inherited, ...own }
  const rule = ruleOf(parameters, part, faults)
  if (rule === undefined) return undefined
  return { op: 'converge', rule, maxSteps: parameters.max_steps ?? DEFAULT_MAX_STEPS, tolerance: parameters.tolerance ?? DEFAULT_TOLERANCE }
}

function optional<T>(part: Part | undefined, read: (part: Part) => T | undefined): T | undefined {
  return part === undefined ? undefined : read(part)
}
