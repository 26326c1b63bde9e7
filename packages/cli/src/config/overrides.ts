import type { PartialConfig } from '@sgsd/daemon'
import { CONFIG_FIELD_NAMES, type ConfigField, fieldConfig, parseValue } from './fields.ts'

/** `mine.threads` → `SGSD_MINE_THREADS`, `farm.linesPerLayer` → `SGSD_FARM_LINES_PER_LAYER`. */
export function environmentName(field: ConfigField): string {
  return `SGSD_${field
    .replaceAll('.', '_')
    .replaceAll(/([A-Z])/g, '_$1')
    .toUpperCase()}`
}

/**
 * What the environment says about the configuration; an empty variable says nothing.
 * @throws CliError VALUE_INVALID, exit 2
 */
export function configOfEnvironment(env: Readonly<Record<string, string | undefined>>): PartialConfig {
  let config: PartialConfig = {}
  for (const field of CONFIG_FIELD_NAMES) {
    const text = env[environmentName(field)]
    if (text !== undefined && text !== '') config = mergeOverrides(config, fieldConfig(field, parseValue(field, text)))
  }
  return config
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

function isGroup(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
