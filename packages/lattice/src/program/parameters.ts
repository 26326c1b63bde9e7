import { PUBLISHED, STABLE } from '../step.ts'
import { choiceIn, type Faults, fieldsOf, numberIn, type Part, wholeIn } from './fields.ts'
import { MAX_CONVERGE_STEPS, type ProgramRule } from './program.ts'

/** What `parameters:` and a converge may set; what is left out is inherited. */
export interface Parameters {
  readonly profile?: ProgramRule['profile']
  readonly alpha?: number
  readonly beta?: number
  readonly gamma?: number
  readonly lambda?: number
  readonly teacher?: 'lattice' | 'raw'
  readonly max_steps?: number
  readonly tolerance?: number
}

/** All but the profile, which is one for the whole program: `reset` depends on it. */
export const PARAMETER_NAMES: readonly string[] = ['alpha', 'beta', 'gamma', 'lambda', 'teacher', 'max_steps', 'tolerance']

/** Largest α, β, γ: a step that moves an entry from one bound to the other. */
const MAX_FACTOR = 1
/** A state of 22,903 entries moves by no more than 151 in a step: a greater tolerance stops every converge at its first step, as 1,000 does. */
const MAX_TOLERANCE = 1_000

/** Reads the fields; each on its own. @returns undefined, with a fault, for what is no map */
export function parametersIn(part: Part, names: readonly string[], faults: Faults): Parameters | undefined {
  const fields = fieldsOf(part, names, faults)
  if (fields === undefined) return undefined
  const read = <T>(name: string, reader: (field: Part) => T | undefined): T | undefined => {
    const field = fields.get(name)
    return field === undefined ? undefined : reader(field)
  }
  const factor = (field: Part): number | undefined => numberIn(field, 0, MAX_FACTOR, faults)
  return defined({
    profile: read('profile', (field) => choiceIn(field, ['stable', 'published'] as const, faults)),
    alpha: read('alpha', factor),
    beta: read('beta', factor),
    gamma: read('gamma', factor),
    lambda: read('lambda', factor),
    teacher: read('teacher', (field) => choiceIn(field, ['lattice', 'raw'] as const, faults)),
    max_steps: read('max_steps', (field) => wholeIn(field, 1, MAX_CONVERGE_STEPS, faults)),
    tolerance: read('tolerance', (field) => numberIn(field, 0, MAX_TOLERANCE, faults)),
  })
}

/** The rule that the parameters make together, with the profile's defaults. @param part - what to name when they do not fit one another */
export function ruleOf(parameters: Parameters, part: Part, faults: Faults): ProgramRule | undefined {
  const { profile = 'stable', alpha, beta, gamma, lambda, teacher } = parameters
  const misfit = (name: string): undefined =>
    faults.add(part.at, part.path, `${part.subject}.${name} is of the ${OTHER[profile]} profile; this program is ${profile}`)
  if (profile === 'published') {
    if (lambda !== undefined) return misfit('lambda')
    return { profile, params: { ...PUBLISHED, ...defined({ alpha, beta, gamma, teacher }) } }
  }
  if (teacher !== undefined) return misfit('teacher')
  const params = { ...STABLE, ...defined({ alpha, beta, gamma, lambda }) }
  if (params.lambda > params.alpha + params.beta) return { profile, params }
  return faults.add(
    part.at,
    part.path,
    `${part.subject}: the stable profile needs lambda > alpha + beta, and ${params.lambda} is not above ${params.alpha} + ${params.beta}`,
  )
}

const OTHER = { stable: 'published', published: 'stable' } as const

/** Without the fields that are undefined: a field that is left out is inherited. */
function defined<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: Exclude<T[K], undefined> }
}
