import { capabilityRanges, CHUNK_COLOURS, hex64, type Host, publishedHostRange, tripartite } from '@sgsd/color'
import { type MeshId, partition, type PeerName } from '@sgsd/consensus'
import { type Command, InvalidArgumentError } from 'commander'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { CliError } from '../failure.ts'
import { checkRoster, parseHost, parseHostFile } from '../host-list.ts'
import { addLeaf, bigNumber, collect, type CommonOptions, optionsOf, printJson } from '../leaf.ts'
import { PUBLISHED_SEED } from '../published.ts'
import { readText } from '../text-file.ts'
import { type HostShare, type RangesDocument, rangesView } from '../view/ranges.ts'

/** Indices that the mesh's column shares out where nobody says: an epoch as `sgsd init` makes it. */
const EPOCH_COLOURS = 2n ** 40n
/** More chunks than an epoch can have need not be shown. */
const MAX_EPOCH_COLOURS = 2n ** 44n
/** Ranges depend on the id of a mesh; this one belongs to none. */
const EXAMPLE_MESH = '00'.repeat(32)

interface RangesFlags extends CommonOptions {
  readonly hosts?: string
  readonly host?: readonly string[]
  readonly seed?: bigint
  readonly meshId?: string
  readonly epochColours?: bigint
}

export function addRanges(program: Command, context: Context): void {
  addLeaf(program, {
    name: 'ranges',
    nodeless: true,
    summary: 'who would compute what: by capability, in three polarities, and as a mesh does it',
    details:
      'The published rules share out the 2^32 indices of turbo32: in proportion to 10 × GB + 5 × cores + GB/s, in order of name hash; the same from the ' +
      'strongest down with polarities in turn; and by name hash modulo the number of hosts, where names can collide. The mesh column is the partition that ' +
      'its members derive for themselves, with the scores in place of measured rates. To discover hosts and mine with them is what `sgsd up` does: it finds ' +
      'the members, measures their rates and works on its own range; `sgsd status` shows the ranges that are in force.',
    examples: [
      'sgsd ranges --host atlas:128:40:400 --host boreas:64:48:800 --host flora:16:10:100',
      'sgsd ranges --hosts roster.json --json',
      'sgsd status --json | jq ".peers[].range"',
    ],
  })
    .option('--host <name:memory:cores:bandwidth>', 'a host: GB, cores, GB/s; may be given more than once', collect)
    .option('--hosts <file>', 'a JSON list of {"name","memoryGb","cores","bandwidthGbps"}; - reads standard input')
    .option('--seed <number>', `seed that is twisted for the polarities (default: ${PUBLISHED_SEED})`, bigNumber)
    .option('--mesh-id <hex>', 'the mesh whose partition is shown: 64 hex digits (default: an example)', meshId)
    .option('--epoch-colours <count>', 'indices of its epoch, whole chunks of 2^20 (default: 2^40)', bigNumber)
    .action(async (_flags, command: Command) => {
      const flags = optionsOf<RangesFlags>(command)
      const listed = flags.hosts === undefined ? [] : parseHostFile(flags.hosts, await readText(context, flags.hosts))
      const document = rangesOf(checkRoster([...listed, ...(flags.host ?? []).map(parseHost)]), flags)
      if (flags.json === true) return printJson(context, document)
      for (const line of rangesView(document, context.terminal.columns(), context.terminal.out)) context.terminal.print(line)
    })
}

function rangesOf(
  hosts: readonly Host[],
  { seed = PUBLISHED_SEED, meshId = EXAMPLE_MESH, epochColours = EPOCH_COLOURS }: RangesFlags,
): RangesDocument {
  const chunks = Number(epochColours / BigInt(CHUNK_COLOURS))
  if (epochColours % BigInt(CHUNK_COLOURS) !== 0n || chunks < 1 || epochColours > MAX_EPOCH_COLOURS)
    throw new CliError('EPOCH_INVALID', 'an epoch is a whole number of chunks of 2^20 colours, from one chunk to 2^44 colours', EXIT.usage)
  const weighted = capabilityRanges(hosts)
  const score = new Map(weighted.map((range) => [range.host, range.score]))
  const mesh = partition(
    meshId as MeshId,
    0n,
    hosts.map(({ name }) => ({ peer: name as PeerName, rate: score.get(name)! })),
    chunks,
  )
  const covered = weighted.reduce((sum, { count }) => sum + count, 0n)
  const byName = hosts.map(({ name }) => ({ name, ...publishedHostRange(name, hosts.length) }))
  const shares = tripartite(seed, hosts).map(({ host, polarity, twistedSeed, start, count }): HostShare => {
    const range = weighted.find((one) => one.host === host)!
    const named = byName.find(({ name }) => name === host)!
    return {
      host,
      score: Number(range.score),
      capability: { start: hex64(range.start), count: hex64(range.count) },
      tripartite: { polarity, twistedSeed: hex64(twistedSeed), start: hex64(start), count: hex64(count) },
      mesh: mesh.get(host as PeerName)!,
      byName: {
        position: named.position,
        start: hex64(named.start),
        count: hex64(named.count),
        collidesWith: byName.filter((other) => other.name !== host && other.position === named.position).map(({ name }) => name),
      },
    }
  })
  return { schema: 'sgsd.ranges/1', seed: hex64(seed), uncovered: hex64(2n ** 32n - covered), meshId, epochChunks: chunks, hosts: shares }
}

function meshId(text: string): string {
  if (/^[0-9a-f]{64}$/.test(text)) return text
  throw new InvalidArgumentError('64 hex digits are needed, as `sgsd status --json` shows them')
}
