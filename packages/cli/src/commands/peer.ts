import type { DecisionDocument, PeerStatus, PeerTrustDocument, StatusDocument } from '@sgsd/daemon'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { CliError } from '../failure.ts'
import { addGroup, addLeaf, controlOf, optionsOf, printJson } from '../leaf.ts'
import { plainText } from '../text/display-width.ts'
import { peerDetails, peerTable } from '../view/peers.ts'
import { trustDetails } from '../view/trust.ts'

export function addPeer(program: Command, context: Context): void {
  const peer = addGroup(program, 'peer', 'the members of the mesh')
  addLeaf(peer, { name: 'ls', summary: 'all members as a table', examples: ['sgsd peer ls', 'sgsd peer ls --json'] }).action(
    async (_flags, command: Command) => {
      const flags = optionsOf(command)
      const { peers } = await (await controlOf(context, flags)).get<StatusDocument>('/v1/status', context.signal)
      if (flags.json === true) return printJson(context, { schema: 'sgsd.peers/1', peers })
      for (const line of peerTable(peers, Math.max(70, context.terminal.columns()), context.terminal.out)) context.terminal.print(line)
    },
  )
  addLeaf(peer, {
    name: 'show',
    arguments: [['<peer>', 'name, peer id, or the beginning or end of one']],
    summary: 'everything known of one member',
    details:
      'What is known of its work too: samples recomputed here and what they would have found, offences with their proof, and what others scored.',
    examples: ['sgsd peer show boreas', 'sgsd peer show x7Qp'],
  }).action(async (wanted: string, _flags, command: Command) => {
    const flags = optionsOf(command)
    const control = await controlOf(context, flags)
    const { peers } = await control.get<StatusDocument>('/v1/status', context.signal)
    const found = findPeer(peers, wanted)
    const trust = await control.get<PeerTrustDocument>(`/v1/trust?peer=${found.peerId}`, context.signal)
    if (flags.json === true) return printJson(context, { schema: 'sgsd.peer/1', peer: found, trust })
    const names = new Map(peers.map(({ peerId, name }) => [peerId, name]))
    for (const line of peerDetails(found, context.terminal.out)) context.terminal.print(line)
    for (const line of trustDetails(trust, names, context.terminal.out)) context.terminal.print(line)
  })
  addDecision(peer, context, {
    action: 'revoke',
    summary: 'shut a member out, on every member',
    details:
      'Its layers leave the fold, its claims count no more, and nobody talks to it. It keeps the mesh key: what that means is in docs/admission.md.',
    examples: ['sgsd peer revoke boreas --reason "laptop stolen"', 'sgsd peer revoke x7Qp'],
  })
  addDecision(peer, context, {
    action: 'readmit',
    summary: 'take back a revocation, and forgive evidence of two items signed for one',
    details: 'What it did before counts again, as if it had never been out.',
    examples: ['sgsd peer readmit boreas'],
  })
}

interface DecisionLeaf {
  readonly action: DecisionDocument['action']
  readonly summary: string
  readonly details: string
  readonly examples: readonly string[]
}

function addDecision(peer: Command, context: Context, { action, ...leaf }: DecisionLeaf): void {
  addLeaf(peer, { name: action, arguments: [['<peer>', 'name, peer id, or the beginning or end of one']], ...leaf })
    .option('--reason <text>', 'why, for the other members: plain ASCII, at most 200 characters')
    .action(async (wanted: string, _flags, command: Command) => {
      const flags = optionsOf<{ reason?: string }>(command)
      const control = await controlOf(context, flags)
      const { peers } = await control.get<StatusDocument>('/v1/status', context.signal)
      const found = findPeer(peers, wanted)
      const body = { peer: found.peerId, action, ...(flags.reason === undefined ? {} : { reason: flags.reason }) }
      const document = await control.post<DecisionDocument>('/v1/peers/decide', body, context.signal)
      if (flags.json === true) return printJson(context, document)
      const name = context.terminal.out.bold(plainText(found.name))
      context.terminal.print(action === 'revoke' ? `${name} is shut out; the others follow within seconds` : `${name} is a member again`)
    })
}

/** The one peer that a person means: its whole name or id, else an unambiguous beginning or end. */
export function findPeer(peers: readonly PeerStatus[], wanted: string): PeerStatus {
  const exact = peers.filter(({ name, peerId }) => name === wanted || peerId === wanted)
  const found =
    exact.length > 0 ? exact : peers.filter(({ name, peerId }) => name.startsWith(wanted) || peerId.startsWith(wanted) || peerId.endsWith(wanted))
  if (found.length === 1) return found[0]!
  if (found.length === 0) throw new CliError('PEER_UNKNOWN', `no member is called ${wanted}`, EXIT.failure, 'sgsd peer ls')
  throw new CliError(
    'PEER_AMBIGUOUS',
    `${wanted} may be ${found.map(({ name, peerId }) => `${name} (${peerId.slice(-4)})`).join(' or ')}`,
    EXIT.usage,
    'give more of its peer id',
  )
}
