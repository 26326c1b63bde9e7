/** `npm run sim -- --nodes 1000 --epochs 50 --seed 7 --forgers 0.05 --collude 0.3 --json`: a mesh in one process. docs/simulator.md */
import { parseArgs } from 'node:util'
import { DEFAULTS, optionFault, type SimOptions } from '../packages/consensus/src/sim/options.ts'
import { simulate, type SimReport } from '../packages/consensus/src/sim/simulate.ts'

/** Between two lines of progress, milliseconds. */
const PROGRESS_MS = 1_000

const HELP = `usage: npm run sim -- [OPTION ...]

Runs a mesh of simulated members over the same decisions as the daemon's: deterministic, the same seed gives the same trace.

  --nodes N          members, 3 to 4096 (${DEFAULTS.nodes})
  --epochs N         epochs to complete (${DEFAULTS.epochs})
  --seed N           of everything that is left to chance (${DEFAULTS.seed})
  --chunks N         chunks of an epoch for each member, 16 to 16384 (${DEFAULTS.chunks})
  --forgers F        fraction of its chunks that a forger forges (${DEFAULTS.forgers})
  --forger-share F   share of members that forge, at least one (${DEFAULTS.forgerShare})
  --forge-from N     first epoch with forged claims (${DEFAULTS.forgeFrom})
  --collude F        share of members that never report what they find (${DEFAULTS.collude})
  --equivocators N   members that sign two claims for one place
  --withholders N    members that claim and keep the leaves to themselves
  --framers N        members that accuse an honest one
  --sybils N         ids that nobody admitted; the mesh then admits by votes, and has at most 200 members
  --churn F          share of members that go at the beginning of an epoch and come back at that of the next
  --loss F, --delay F, --duplicate F
                     share of what is sent to a member that is lost, is 5 to 15 s late, comes twice
  --partition E      epoch at whose beginning the mesh falls into two halves for a minute; may be given again
  --newcomers        members begin in probation instead of trusted
  --no-share         every member steps by itself: the same result, slower
  --json             one line of JSON on standard output
  --help

examples:
  npm run sim -- --nodes 1000 --epochs 50 --seed 7 --forgers 0.05 --collude 0.3 --json
  npm run sim -- --nodes 60 --epochs 20 --churn 0.2 --loss 0.01 --partition 5
  npm run sim -- --nodes 40 --epochs 6 --sybils 100 --equivocators 2 --framers 2
`

const NUMBERS = {
  nodes: 'nodes',
  epochs: 'epochs',
  seed: 'seed',
  chunks: 'chunks',
  forgers: 'forgers',
  'forger-share': 'forgerShare',
  'forge-from': 'forgeFrom',
  collude: 'collude',
  equivocators: 'equivocators',
  withholders: 'withholders',
  framers: 'framers',
  sybils: 'sybils',
  churn: 'churn',
  loss: 'loss',
  delay: 'delay',
  duplicate: 'duplicate',
} as const satisfies Record<string, keyof SimOptions>

main()

function main(): void {
  const asked = read()
  if (asked === undefined) return
  const { options, json } = asked
  const started = performance.now()
  let shownAt = started
  const report = simulate(options, (epoch) => {
    if (performance.now() - shownAt < PROGRESS_MS) return
    shownAt = performance.now()
    process.stderr.write(`sim: epoch ${epoch} of ${options.epochs}, ${((shownAt - started) / 1_000).toFixed(0)} s\n`)
  })
  const durationMs = Math.round(performance.now() - started)
  const { user, system } = process.cpuUsage()
  const cpuMs = Math.round((user + system) / 1_000)
  process.stdout.write(json ? `${JSON.stringify({ schema: 'sgsd.sim/1', ...report, durationMs, cpuMs })}\n` : inWords(report, durationMs, cpuMs))
}

/** @returns undefined when there is nothing to run: help was asked for, or what was asked is not to be had (then the exit status is 2) */
function read(): { readonly options: SimOptions; readonly json: boolean } | undefined {
  try {
    const text = { type: 'string' } as const
    const { values } = parseArgs({
      options: {
        ...(Object.fromEntries(Object.keys(NUMBERS).map((name) => [name, text])) as Record<keyof typeof NUMBERS, typeof text>),
        partition: { type: 'string', multiple: true },
        newcomers: { type: 'boolean', default: false },
        'no-share': { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
    if (values.help) {
      process.stdout.write(HELP)
      return undefined
    }
    const given: Record<string, number> = {}
    for (const [flag, option] of Object.entries(NUMBERS)) {
      const value = values[flag as keyof typeof NUMBERS]
      if (value !== undefined) given[option] = numberOf(flag, value)
    }
    const partitions = (values.partition ?? []).map((epoch) => numberOf('partition', epoch))
    const options: SimOptions = { ...DEFAULTS, ...given, partitions, newcomers: values.newcomers, share: !values['no-share'] }
    const fault = optionFault(options)
    if (fault === undefined) return { options, json: values.json }
    complain(fault)
  } catch (error) {
    complain((error as Error).message)
  }
  return undefined
}

function numberOf(flag: string, text: string): number {
  const value = text.trim() === '' ? NaN : Number(text)
  if (Number.isNaN(value)) throw new Error(`--${flag} takes a number, not "${text}"`)
  return value
}

function complain(why: string): void {
  process.stderr.write(`sim: ${why}\n\n${HELP}`)
  process.exitCode = 2
}

function inWords(report: SimReport, durationMs: number, cpuMs: number): string {
  const { forgers, epochsCompleted, epochsTrue, memberEpochs, honestExcluded, auditCostRatio, statesEqual, traceHash, views } = report
  const after = forgers.map(({ excludedAfterEpochs }) => excludedAfterEpochs)
  const counts = [...new Set(after)]
    .sort((a, b) => (a ?? Infinity) - (b ?? Infinity))
    .map((epochs) => {
      const count = after.filter((other) => other === epochs).length
      return epochs === null ? `${count} not` : `${count} after ${epochs} ${epochs === 1 ? 'epoch' : 'epochs'}`
    })
  return `${[
    `epochs completed    ${epochsCompleted}, ${epochsTrue} of them with the true XOR`,
    `member-epochs       ${memberEpochs}`,
    `forgers excluded    ${counts.length > 0 ? counts.join(', ') : 'there were none'}`,
    `honest excluded     ${honestExcluded}`,
    `audit cost          ${(100 * auditCostRatio).toFixed(2)} % of what was mined`,
    `states equal        ${statesEqual ? 'yes' : 'no'}`,
    `views               ${views.mean.toFixed(1)} a tick on average, ${views.most} at most`,
    `trace               ${traceHash}`,
    `took                ${(durationMs / 1_000).toFixed(1)} s, ${(cpuMs / 1_000).toFixed(1)} s of them computing`,
  ].join('\n')}\n`
}
