import type { DocumentEntry, DocumentNode } from './document.ts'
import { MAX_FAULTS, nearestHint, type ProgramFault, quoted } from './fault.ts'
import type { Position } from './program.ts'

/** Collects what is wrong; past MAX_FAULTS nothing is added. */
export class Faults {
  readonly #found: ProgramFault[] = []

  get count(): number {
    return this.#found.length
  }

  get full(): boolean {
    return this.#found.length >= MAX_FAULTS
  }

  /** In the order of the source. */
  get found(): readonly ProgramFault[] {
    const place = ({ at }: ProgramFault): readonly [number, number] => [at?.line ?? 0, at?.column ?? 0]
    return this.#found.toSorted((a, b) => place(a)[0] - place(b)[0] || place(a)[1] - place(b)[1])
  }

  add(at: Position | undefined, path: string, message: string): undefined {
    if (!this.full) this.#found.push({ at, path, message })
    return undefined
  }
}

/** A part of the document on its way to a value: where it is, and what sentences call it. */
export interface Part {
  readonly node: DocumentNode
  /** Place of its key, or its own where it has none. */
  readonly at: Position | undefined
  /** `program[2].converge.max_steps` */
  readonly path: string
  /** `converge.max_steps` */
  readonly subject: string
}

/** Fields of a map by name. Reports those that are none of `names`. @returns undefined, with a fault, for what is no map */
export function fieldsOf(part: Part, names: readonly string[], faults: Faults): ReadonlyMap<string, Part> | undefined {
  const { node, path, subject } = part
  if (node.kind !== 'map') return faults.add(part.at, path, `${subject} must be a map of ${listed(names)}, not ${shown(node)}`)
  const fields = new Map<string, Part>()
  for (const entry of node.entries) {
    if (faults.full) break
    if (names.includes(entry.key)) fields.set(entry.key, within(part, entry))
    else {
      const hint = nearestHint(entry.key, names)
      faults.add(entry.at, path, `${subject} has no field ${quoted(entry.key)}${hint === '' ? `; it has ${listed(names)}` : hint}`)
    }
  }
  return fields
}

/** The part below an entry of a map. */
export function within({ path, subject }: Part, { key, at, value }: DocumentEntry): Part {
  const name = path === '' ? key : `${path}.${key}`
  return { node: value, at: at ?? value.at, path: name, subject: path === '' ? key : `${subject}.${key}` }
}

export function numberIn(part: Part, least: number, most: number, faults: Faults): number | undefined {
  const { node, at, path, subject } = part
  if (node.kind === 'number' && node.value >= least && node.value <= most) return node.value
  return faults.add(at, path, `${subject} must be a number from ${least} to ${most}, not ${shown(node)}`)
}

export function wholeIn(part: Part, least: number, most: number, faults: Faults): number | undefined {
  const { node, at, path, subject } = part
  if (node.kind === 'number' && Number.isInteger(node.value) && node.value >= least && node.value <= most) return node.value
  return faults.add(at, path, `${subject} must be a whole number from ${least} to ${most}, not ${shown(node)}`)
}

export function truthIn(part: Part, faults: Faults): boolean | undefined {
  const { node, at, path, subject } = part
  return node.kind === 'truth' ? node.value : faults.add(at, path, `${subject} must be true or false, not ${shown(node)}`)
}

export function choiceIn<T extends string>(part: Part, choices: readonly T[], faults: Faults): T | undefined {
  const { node, at, path, subject } = part
  const found = node.kind === 'text' ? choices.find((choice) => choice === node.value) : undefined
  if (found !== undefined) return found
  const hint = node.kind === 'text' ? nearestHint(node.value, choices) : ''
  return faults.add(at, path, `${subject} must be ${listed(choices, 'or')}, not ${shown(node)}${hint}`)
}

/** A text that is not blank. */
export function textIn(part: Part, most: number, faults: Faults): string | undefined {
  const { node, at, path, subject } = part
  if (node.kind !== 'text') {
    const hint = node.kind === 'number' || node.kind === 'truth' ? '; put it in quotes' : ''
    return faults.add(at, path, `${subject} must be text, not ${shown(node)}${hint}`)
  }
  if (node.value.trim() === '') return faults.add(at, path, `${subject} must be text, and this one is empty`)
  if (node.value.length <= most) return node.value
  return faults.add(at, path, `${subject} has ${node.value.length} characters; ${most} are the most`)
}

/** A value as an error repeats it. */
export function shown(node: DocumentNode): string {
  switch (node.kind) {
    case 'text':
      return quoted(node.value)
    case 'number':
      return node.source.length <= 40 ? node.source : `${node.source.slice(0, 40)}…`
    case 'truth':
      return String(node.value)
    case 'nothing':
      return 'nothing'
    case 'list':
      return 'a list'
    case 'map':
      return 'a map'
  }
}

/** `a, b and c` */
export function listed(names: readonly string[], word: 'and' | 'or' = 'and'): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} ${word} ${names.at(-1)!}`
}
