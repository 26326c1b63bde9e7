import type { JoinDocument } from '@sgsd/daemon'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { CliError, describeFailure } from '../failure.ts'
import { addLeaf, collect, dataDirOf, nextCommand, optionsOf, printJson, wholeNumber } from '../leaf.ts'
import { shortPeer } from '../text/figures.ts'

interface JoinFlags {
  readonly name?: string
  readonly port?: number
  readonly listen?: readonly string[]
}

export function addJoin(program: Command, context: Context): void {
  addLeaf(program, {
    name: 'join',
    arguments: [['<invite>', 'the line that sgsd invite printed, or the address of an open mesh; - reads it from standard input']],
    summary: 'become a member of a mesh',
    details: 'Reaches a member, fetches the genesis document and keeps both. Works with and without a running daemon.',
    examples: [
      "sgsd join '/ip4/100.64.0.7/tcp/42069/p2p/12D3Koo…#i1.secret'",
      'sgsd join - < invite.txt',
      'sgsd join /ip4/127.0.0.1/tcp/42069/p2p/12D3Koo… --port 42070 --data-dir ./b',
    ],
  })
    .option('--name <name>', 'name of this node (default: the host name)')
    .option('--port <port>', 'TCP port on all interfaces (default: 42069)', wholeNumber(0, 65_535))
    .option('--listen <multiaddr>', 'listen here instead; may be given again', collect)
    .action(async (given: string, _flags, command: Command) => {
      const flags = optionsOf<JoinFlags>(command)
      const invite = given === '-' ? await firstLine(context) : given
      const dir = await dataDirOf(context, flags)
      const live = await joinRunning(context, dir, invite)
      if (live !== undefined) return report(context, live, flags.json === true)
      const { name, port, listen } = flags
      const node = { ...(name === undefined ? {} : { name }), ...(port === undefined ? {} : { port }), ...(listen === undefined ? {} : { listen }) }
      const joined = await (await context.edges.daemon()).joinMesh(dir, invite, node, context.signal)
      report(context, { ...joined, peer: joined.via }, flags.json === true)
      if (joined.admission === 'vote')
        context.terminal.note('this mesh votes: what this node does counts once more than half of the members have seen it compute')
      context.terminal.note(`→  ${nextCommand('up', flags)}`)
    })
}

async function firstLine(context: Context): Promise<string> {
  const line = (await context.terminal.readInput()).split('\n').find((text) => text.trim() !== '')
  if (line === undefined) throw new CliError('INVITE_INVALID', 'no invite came on standard input', EXIT.usage, 'sgsd invite prints one on a member')
  return line.trim()
}

/** A running daemon takes the address itself. @returns undefined when none runs here */
async function joinRunning(context: Context, dir: string, invite: string): Promise<JoinDocument | undefined> {
  const control = (await context.edges.daemon()).openControl(dir)
  try {
    return await control.post<JoinDocument>('/v1/join', { invite }, context.signal)
  } catch (error) {
    if (describeFailure(error).exitCode === EXIT.notRunning) return undefined
    throw error
  }
}

function report(context: Context, joined: { readonly meshId: string; readonly meshName: string; readonly peer: string }, json: boolean): void {
  const { meshId, meshName, peer } = joined
  if (json) return printJson(context, { schema: 'sgsd.join/1', ...joined })
  context.terminal.print(`joined mesh ${context.terminal.out.bold(meshName)}, id ${meshId.slice(0, 12)}, through ${shortPeer(peer)}`)
}
