import type { Config, PartialConfig } from '@sgsd/daemon'
import { EXIT } from '../exit-code.ts'
import { CliError } from '../failure.ts'

/** A value with fields of its own, which are set together: `farm.host`. */
export type ConfigObject = { readonly [key: string]: unknown }

export type ConfigValue = string | number | boolean | readonly string[] | ConfigObject

/** Every field of a configuration by its dotted name (`mine.threads`), with its default, which also says how its text is read. */
export type ConfigFields = ReadonlyMap<string, ConfigValue>

/** @param defaults - the configuration that says nothing: fields that come to the schema later come here by themselves */
export function fieldsOf(defaults: Config): ConfigFields {
  const fields = new Map<string, ConfigValue>()
  for (const [key, value] of Object.entries(defaults)) {
    if (isGroup(value)) for (const [member, inner] of Object.entries(value)) fields.set(`${key}.${member}`, inner as ConfigValue)
    else fields.set(key, value as ConfigValue)
  }
  return fields
}

/** @throws CliError FIELD_UNKNOWN, exit 2 */
export function requireField(fields: ConfigFields, text: string): string {
  if (fields.has(text)) return text
  throw new CliError('FIELD_UNKNOWN', `there is no configuration field ${text}`, EXIT.usage, `one of: ${[...fields.keys()].join(', ')}`)
}

/**
 * Reads a value as its field wants it; lists are separated by commas, switches are true or false, objects are JSON. Bounds are the schema's business.
 * @throws CliError VALUE_INVALID, exit 2
 */
export function parseValue(fields: ConfigFields, field: string, text: string): ConfigValue {
  const standing = fields.get(field)
  const invalid = (wanted: string): CliError => new CliError('VALUE_INVALID', `${field} must be ${wanted}, not ${JSON.stringify(text)}`, EXIT.usage)
  if (typeof standing === 'boolean') {
    if (/^(true|on|1)$/.test(text)) return true
    if (/^(false|off|0)$/.test(text)) return false
    throw invalid('true or false')
  }
  if (typeof standing === 'number') {
    if (/^\d{1,15}(\.\d{1,15})?$/.test(text)) return Number(text)
    throw invalid('a number')
  }
  if (typeof standing === 'string') return text
  if (isGroup(standing)) {
    const value = parseJson(text)
    if (isGroup(value)) return value
    throw invalid(`a JSON object such as '${JSON.stringify(standing)}'`)
  }
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

/** A field's value in a (partial) configuration, or undefined where it says nothing. */
export function fieldOf(config: PartialConfig | Config, field: string): ConfigValue | undefined {
  const [group, member] = field.split('.') as [string, string?]
  const value = (config as Readonly<Record<string, unknown>>)[group]
  if (member === undefined) return value as ConfigValue | undefined
  return isGroup(value) ? (value[member] as ConfigValue | undefined) : undefined
}

/** A configuration that says one thing. */
export function fieldConfig(field: string, value: ConfigValue): PartialConfig {
  const [group, member] = field.split('.') as [string, string?]
  return member === undefined ? { [group]: value } : { [group]: { [member]: value } }
}

/** Lays `over` on `base`: groups field by field, everything else whole. */
export function mergeOverrides(base: PartialConfig, over: PartialConfig): PartialConfig {
  const merged: Record<string, unknown> = { ...base }
  for (const [key, value] of Object.entries(over)) {
    const before = merged[key]
    merged[key] = isGroup(before) && isGroup(value) ? { ...before, ...value } : value
  }
  return merged
}

/** As people write a value; `parseValue` reads it back. */
export function renderValue(value: ConfigValue | undefined): string {
  if (value === undefined) return ''
  if (Array.isArray(value)) return value.join(',')
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** Undefined for what is not JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isGroup(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
