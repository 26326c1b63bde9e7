import { hostname } from 'node:os'
import { type BundleRange, type BundleResult, parseBundle, parseBundleResult, rangesOf, type SeedBundle } from '@sgsd/color'
import type { Context } from './context.ts'
import { EXIT } from './exit-code.ts'
import { CliError } from './failure.ts'
import { readText } from './text-file.ts'

/** Hosts that a sentence names before it only counts them. */
const NAMED_HOSTS = 5

/** @throws CliError BUNDLE_INVALID, exit 2, with what is wrong: overlaps and gaps by host and index */
export async function readBundle(context: Context, file: string): Promise<SeedBundle> {
  const parsed = parseBundle(await readText(context, file))
  if (parsed.ok) return parsed.bundle
  throw new CliError('BUNDLE_INVALID', `${file}: ${parsed.reason}`, EXIT.usage, 'sgsd bundle make --help')
}

/** Results, one document a file or a line. @throws CliError RESULT_INVALID, exit 2 */
export async function readResults(context: Context, files: readonly string[]): Promise<BundleResult[]> {
  const results: BundleResult[] = []
  for (const file of files) {
    const lines = (await readText(context, file)).split('\n').filter((line) => line.trim() !== '')
    if (lines.length === 0) throw new CliError('RESULT_INVALID', `${file}: not a bundle result: there is nothing in it`, EXIT.usage)
    for (const line of lines) {
      const parsed = parseBundleResult(line)
      if (!parsed.ok) throw new CliError('RESULT_INVALID', `${file}: ${parsed.reason}`, EXIT.usage, 'sgsd bundle run --help')
      results.push(parsed.result)
    }
  }
  return results
}

export interface OwnPart {
  readonly host: string
  readonly ranges: readonly BundleRange[]
}

/** What a bundle asks of a host; of this one, by its host name, where none is said. @throws CliError BUNDLE_FOR_OTHERS, exit 2 */
export function partOf(bundle: SeedBundle, host: string = hostname()): OwnPart {
  const ranges = rangesOf(bundle, host)
  if (ranges.length > 0) return { host, ranges }
  const names = [...new Set(bundle.ranges.map((range) => JSON.stringify(range.host)))]
  const others = names.length > NAMED_HOSTS ? `${names.slice(0, NAMED_HOSTS).join(', ')} and ${names.length - NAMED_HOSTS} more` : names.join(', ')
  throw new CliError('BUNDLE_FOR_OTHERS', `the bundle has nothing for ${JSON.stringify(host)}: it is for ${others}`, EXIT.usage, '--host <name>')
}
