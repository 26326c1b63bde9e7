import type { PeerStatus, StatusDocument } from '@sgsd/daemon'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { CliError } from '../failure.ts'
import { addGroup, addLeaf, controlOf, optionsOf, printJson } from '../leaf.ts'
import { peerDetails, peerTable } from '../view/peers.ts'

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
    examples: ['sgsd peer show boreas', 'sgsd peer show x7Qp'],
  }).action(async (wanted: string, _flags, command: Command) => {
    const flags = optionsOf(command)
    const { peers } = await (await controlOf(context, flags)).get<StatusDocument>('/v1/status', context.signal)
    const found = findPeer(peers, wanted)
    if (flags.json === true) return printJson(context, { schema: 'sgsd.peer/1', peer: found })
    for (const line of peerDetails(found, context.terminal.out)) context.terminal.print(line)
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
