import type { PartialConfig } from '@sgsd/daemon'
import { type ConfigFields, fieldConfig, mergeOverrides, parseValue } from './fields.ts'

/** `mine.threads` → `SGSD_MINE_THREADS`, `farm.callsPerLayer` → `SGSD_FARM_CALLS_PER_LAYER`. */
export function environmentName(field: string): string {
  return `SGSD_${field
    .replaceAll('.', '_')
    .replaceAll(/([A-Z])/g, '_$1')
    .toUpperCase()}`
}

/**
 * What the environment says about the configuration; an empty variable says nothing.
 * @throws CliError VALUE_INVALID, exit 2
 */
export function configOfEnvironment(fields: ConfigFields, env: Readonly<Record<string, string | undefined>>): PartialConfig {
  let config: PartialConfig = {}
  for (const field of fields.keys()) {
    const text = env[environmentName(field)]
    if (text !== undefined && text !== '') config = mergeOverrides(config, fieldConfig(field, parseValue(fields, field, text)))
  }
  return config
}
