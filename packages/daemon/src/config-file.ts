import { readFile } from 'node:fs/promises'
import { writeFileDurably } from '@sgsd/store'
import { z } from 'zod'
import { type Config, configSchema } from './config.ts'
import { DaemonError } from './daemon-error.ts'

/** A configuration of which any part may be left out. */
export type PartialConfig = {
  readonly [K in keyof Config]?: Config[K] extends readonly unknown[] ? Config[K] : Config[K] extends object ? Partial<Config[K]> : Config[K]
}

/**
 * Reads and checks `config.json`; a missing file gives the defaults.
 * @throws DaemonError CONFIG_INVALID naming the field, or the line of a syntax error
 */
export async function readConfig(file: string, overrides: PartialConfig = {}): Promise<Config> {
  return parseConfig(mergeConfig(await readRawConfig(file), overrides), file)
}

/** The file as it stands: what was set there and nothing else. */
export async function readRawConfig(file: string): Promise<PartialConfig> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw new DaemonError('CONFIG_INVALID', `cannot read ${file}: ${(error as Error).message}`, '', { cause: error })
  }
  try {
    return JSON.parse(text) as PartialConfig
  } catch (error) {
    throw new DaemonError(
      'CONFIG_INVALID',
      `${file} is not JSON: ${(error as Error).message}`,
      'mend the file, or move it away to get the defaults',
      { cause: error },
    )
  }
}

export function parseConfig(raw: unknown, file: string): Config {
  const parsed = configSchema.safeParse(raw)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const where = issue?.path.join('.') ?? ''
  throw new DaemonError(
    'CONFIG_INVALID',
    `${file}: ${where === '' ? '' : `${where}: `}${issue?.message ?? z.prettifyError(parsed.error)}`,
    'sgsd config validate shows every fault',
  )
}

/** Objects are merged field by field, everything else is replaced. */
export function mergeConfig(base: PartialConfig, over: PartialConfig): PartialConfig {
  const merged: Record<string, unknown> = { ...base }
  for (const [key, value] of Object.entries(over)) {
    if (value === undefined) continue
    const before = merged[key]
    merged[key] = isPlainObject(before) && isPlainObject(value) ? { ...before, ...value } : value
  }
  return merged
}

/** Checks the whole before it is written; the old file stays until the new one is on disk. */
export async function writeConfig(file: string, config: PartialConfig): Promise<void> {
  parseConfig(config, file)
  await writeFileDurably(file, Buffer.from(`${JSON.stringify(config, null, 2)}\n`))
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
