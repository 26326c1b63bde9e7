import type { InviteDocument, InviteRevoked, InvitesDocument } from '@sgsd/daemon'
import { type Command, InvalidArgumentError } from 'commander'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { CliError } from '../failure.ts'
import { addLeaf, controlOf, optionsOf, printJson, wholeNumber } from '../leaf.ts'
import { duration } from '../text/figures.ts'
import { inviteTable } from '../view/invites.ts'

interface InviteFlags {
  readonly ttl?: number
  readonly uses?: number
  readonly key?: boolean
  readonly all?: boolean
}

export function addInvite(program: Command, context: Context): void {
  const invite = addLeaf(program, {
    name: 'invite',
    summary: 'print the line that lets another machine join',
    details:
      'In a keyed mesh the line holds a secret that is good once, for a day. While it is, this node must run for it to work. `sgsd join -` keeps it out of a\n' +
      'shell history. With --key the line holds the mesh key itself: it has no end, and whoever has it can join.',
    examples: ['sgsd invite', 'sgsd invite --ttl 30m --uses 3', 'sgsd invite | ssh boreas sgsd join -', 'sgsd invite ls', 'sgsd invite revoke 2'],
  })
  invite
    .option('--ttl <time>', 'how long it is good: 30m, 24h, 7d (default: 24h)', lifetime)
    .option('--uses <count>', 'how many machines it lets in (default: 1)', wholeNumber(1, 1_000))
    .option('--key', 'the mesh key itself, without end')
    .option('--all', 'one line for each address, best first')
    .action(async (_flags, command: Command) => make(context, optionsOf<InviteFlags>(command)))
  addLeaf(invite, { name: 'ls', summary: 'the invites of this node, and who came with them', examples: ['sgsd invite ls'] }).action(
    async (_flags, command: Command) => {
      const flags = optionsOf(command)
      const document = await (await controlOf(context, flags)).get<InvitesDocument>('/v1/invites', context.signal)
      if (flags.json === true) return printJson(context, document)
      if (document.invites.length === 0) return context.terminal.note('no invite was made on this node')
      const lines = inviteTable(document.invites, Date.now(), Math.max(70, context.terminal.columns()), context.terminal.out)
      for (const line of lines) context.terminal.print(line)
    },
  )
  addLeaf(invite, {
    name: 'revoke',
    arguments: [['<n>', 'its number in sgsd invite ls']],
    summary: 'take an invite back; those it let in stay',
    examples: ['sgsd invite revoke 2'],
  }).action(async (wanted: string, _flags, command: Command) => {
    const flags = optionsOf(command)
    const number = wholeNumber(1, Number.MAX_SAFE_INTEGER)(wanted)
    const document = await (await controlOf(context, flags)).post<InviteRevoked>('/v1/invites/revoke', { number }, context.signal)
    if (flags.json === true) return printJson(context, document)
    context.terminal.print(`invite ${number} lets nobody in any more`)
  })
}

async function make(context: Context, flags: InviteFlags & { readonly json?: boolean; readonly dataDir?: string }): Promise<void> {
  const { ttl, uses, key, all } = flags
  if (key === true && (ttl !== undefined || uses !== undefined)) {
    throw new CliError('USAGE', 'the mesh key has no end and no count: --key goes with neither --ttl nor --uses', EXIT.usage)
  }
  const control = await controlOf(context, flags)
  const wanted = { ...(ttl === undefined ? {} : { ttlMs: ttl }), ...(uses === undefined ? {} : { uses }) }
  const document = await (key === true
    ? control.get<InviteDocument>('/v1/invite', context.signal)
    : control.post<InviteDocument>('/v1/invites', wanted, context.signal))
  if (flags.json === true) return printJson(context, document)
  const [best] = document.invites
  if (best === undefined) {
    throw new CliError('NO_ADDRESS', 'this node listens nowhere that others could dial', EXIT.failure, 'sgsd config get listen')
  }
  for (const line of all === true ? document.invites : [best]) context.terminal.print(line)
  context.terminal.note(noteOf(document))
}

function noteOf({ kind, number, expiresAt, uses }: InviteDocument): string {
  if (kind === 'bare') return 'this mesh is open: whoever knows an address can join'
  if (kind === 'key') return 'whoever has this line can join, and bring others: send it over a channel that you trust'
  const machines = uses === 1 ? 'one machine' : `${uses} machines`
  return `invite ${number}: good for ${machines} within ${duration((expiresAt ?? 0) - Date.now())}, while this node runs`
}

const UNITS_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** Milliseconds of `90s`, `30m`, `24h`, `7d`. */
function lifetime(text: string): number {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  if (count === undefined) throw new InvalidArgumentError('a time such as 30m, 24h or 7d is needed')
  const ms = Number(count) * UNITS_MS[unit as keyof typeof UNITS_MS]
  if (ms >= UNITS_MS.m && ms <= 30 * UNITS_MS.d) return ms
  throw new InvalidArgumentError('an invite lives from 1 minute (1m) to 30 days (30d)')
}
