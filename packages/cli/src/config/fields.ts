import type { Config, PartialConfig } from '@sgsd/daemon'
import { EXIT } from '../exit-code.ts'
import { CliError } from '../failure.ts'

/** How the text of a field is read. */
type Kind = 'text' | 'list' | 'switch' | 'number'

/** Dotted name of a field. */
export type ConfigField =
  | 'name'
  | 'listen'
  | 'bootstrap'
  | 'mdns'
  | 'tailscale'
  | 'mine.auto'
  | 'mine.threads'
  | 'mine.epochs'
  | 'farm.auto'
  | 'farm.linesPerLayer'
  | 'log.level'

/** Every field of a configuration, by its dotted name. */
export const CONFIG_FIELDS: Readonly<Record<ConfigField, Kind>> = {
  name: 'text',
  listen: 'list',
  bootstrap: 'list',
  mdns: 'switch',
  tailscale: 'switch',
  'mine.auto': 'switch',
  'mine.threads': 'number',
  'mine.epochs': 'number',
  'farm.auto': 'switch',
  'farm.linesPerLayer': 'number',
  'log.level': 'text',
}

export type ConfigValue = string | number | boolean | readonly string[]

export const CONFIG_FIELD_NAMES: readonly ConfigField[] = Object.keys(CONFIG_FIELDS) as ConfigField[]

/** @throws CliError FIELD_UNKNOWN, exit 2 */
export function parseField(text: string): ConfigField {
  if (Object.hasOwn(CONFIG_FIELDS, text)) return text as ConfigField
  throw new CliError('FIELD_UNKNOWN', `there is no configuration field ${text}`, EXIT.usage, `one of: ${CONFIG_FIELD_NAMES.join(', ')}`)
}

/**
 * Reads a value as its field wants it; lists are separated by commas, switches are true or false. Bounds are the schema's business.
 * @throws CliError VALUE_INVALID, exit 2
 */
export function parseValue(field: ConfigField, text: string): ConfigValue {
  const invalid = (wanted: string): CliError => new CliError('VALUE_INVALID', `${field} must be ${wanted}, not ${JSON.stringify(text)}`, EXIT.usage)
  switch (CONFIG_FIELDS[field]) {
    case 'text':
      return text
    case 'list':
      return text
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== '')
    case 'switch':
      if (text === 'true' || text === 'on' || text === '1') return true
      if (text === 'false' || text === 'off' || text === '0') return false
      throw invalid('true or false')
    case 'number':
      if (/^\d{1,15}$/.test(text)) return Number(text)
      throw invalid('a whole number')
  }
}

/** A field's value in a (partial) configuration, or undefined where it says nothing. */
export function fieldOf(config: PartialConfig | Config, field: ConfigField): ConfigValue | undefined {
  const [group, member] = field.split('.') as [string, string?]
  const value = (config as Readonly<Record<string, unknown>>)[group]
  if (member === undefined) return value as ConfigValue | undefined
  return typeof value === 'object' && value !== null ? ((value as Readonly<Record<string, unknown>>)[member] as ConfigValue | undefined) : undefined
}

/** A configuration that says one thing. */
export function fieldConfig(field: ConfigField, value: ConfigValue): PartialConfig {
  const [group, member] = field.split('.') as [string, string?]
  return member === undefined ? { [group]: value } : { [group]: { [member]: value } }
}

/** As people write a value; the inverse of `parseValue`. */
export function renderValue(value: ConfigValue | undefined): string {
  return value === undefined ? '' : Array.isArray(value) ? value.join(',') : String(value)
}
