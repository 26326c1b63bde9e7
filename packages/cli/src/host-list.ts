import { capabilityScore, type Host } from '@sgsd/color'
import { EXIT } from './exit-code.ts'
import { CliError } from './failure.ts'

/** Largest figure of a host that is believed: a million gigabytes, cores, or gigabytes a second. */
const MAX_FIGURE = 1_000_000
const MAX_HOSTS = 100_000

/** `name:memory GB:cores:bandwidth GB/s`. @throws CliError HOST_INVALID, exit 2 */
export function parseHost(text: string): Host {
  const [, name, ...figures] = /^(.+):([^:]*):([^:]*):([^:]*)$/.exec(text) ?? []
  if (name === undefined) throw invalid(`--host ${text}: name:memory:cores:bandwidth is needed, e.g. atlas:128:40:400`)
  return checked(
    name,
    figures.map((figure) => (figure === '' ? Number.NaN : Number(figure))),
    `--host ${text}`,
  )
}

/** A JSON list of hosts: objects with name, memoryGb, cores, bandwidthGbps, or lists of the four. @throws CliError HOST_INVALID, exit 2 */
export function parseHostFile(file: string, text: string): readonly Host[] {
  let root: unknown
  try {
    root = JSON.parse(text)
  } catch (error) {
    throw invalid(`${file}: it is not JSON`, error)
  }
  const list = Array.isArray(root) ? root : (root as { hosts?: unknown } | null)?.hosts
  if (!Array.isArray(list) || list.length > MAX_HOSTS) throw invalid(`${file}: a list of hosts is needed`)
  return list.map((entry: unknown, place) => {
    const where = `${file}: host ${place}`
    if (Array.isArray(entry)) return checked(entry[0], entry.slice(1), where)
    const { name, memoryGb, cores, bandwidthGbps } = (entry ?? {}) as Record<string, unknown>
    return checked(name, [memoryGb, cores, bandwidthGbps], where)
  })
}

/** @throws CliError HOSTS_TWICE or NO_CAPABILITY, exit 2 */
export function checkRoster(hosts: readonly Host[]): readonly Host[] {
  const names = new Set<string>()
  for (const { name } of hosts) {
    if (names.has(name)) throw new CliError('HOSTS_TWICE', `host ${JSON.stringify(name)} is there twice`, EXIT.usage)
    names.add(name)
  }
  if (hosts.length === 0) throw new CliError('NO_CAPABILITY', 'a roster needs at least one host', EXIT.usage, 'sgsd ranges --help')
  if (hosts.every((host) => capabilityScore(host) === 0n)) {
    const whose = hosts.length === 1 ? 'the host has' : `all ${hosts.length} hosts have`
    throw new CliError('NO_CAPABILITY', `${whose} zero capability: there is nobody to give a range to`, EXIT.usage)
  }
  return hosts
}

function checked(name: unknown, figures: readonly unknown[], where: string): Host {
  if (typeof name !== 'string' || name === '' || name.length > 255) throw invalid(`${where}: a name of 1 to 255 characters is needed`)
  const [memoryGb, cores, bandwidthGbps] = figures
  for (const figure of [memoryGb, cores, bandwidthGbps]) {
    if (typeof figure !== 'number' || !(figure >= 0 && figure <= MAX_FIGURE))
      throw invalid(`${where}: memory, cores and bandwidth are numbers from 0 to ${MAX_FIGURE}`)
  }
  return { name, memoryGb: memoryGb as number, cores: cores as number, bandwidthGbps: bandwidthGbps as number }
}

function invalid(message: string, cause?: unknown): CliError {
  return new CliError('HOST_INVALID', message, EXIT.usage, '', { cause })
}
