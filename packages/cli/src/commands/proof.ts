import type { ProofFile, ProofsDocument, StatusDocument } from '@sgsd/daemon'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { CliError } from '../failure.ts'
import { decodePieces, inputName, readPieces } from '../input-bytes.ts'
import { addGroup, addLeaf, controlOf, optionsOf, printJson } from '../leaf.ts'
import { checkLines, proofTable } from '../view/trust.ts'

/** Characters of a proof file: two envelopes in hex and what is around them; nothing longer is read. */
const MAX_FILE_CHARS = 65_536

export function addProof(program: Command, context: Context): void {
  const proof = addGroup(program, 'proof', 'fraud proofs: claims that are wrong in a chunk that anybody can recompute')
  addLeaf(proof, { name: 'ls', summary: 'all proofs that this node knows', examples: ['sgsd proof ls', 'sgsd proof ls --json'] }).action(
    async (_flags, command: Command) => {
      const { document, names } = await read(context, command)
      if (optionsOf(command).json === true) return printJson(context, document)
      if (document.proofs.length === 0) context.terminal.print('no proofs: nobody was caught')
      for (const line of proofTable(document.proofs, names)) context.terminal.print(line)
    },
  )
  addLeaf(proof, {
    name: 'show',
    arguments: [['<id>', 'id of the proof, or its beginning']],
    summary: 'check a proof that this node knows: signatures, path, and the chunk itself',
    details: 'Recomputed in this process, not by the daemon. Exit 0 when fraud is proved, 7 when the proof is wrong.',
    examples: ['sgsd proof show 3f9c1e07'],
  }).action(async (id: string, _flags, command: Command) => check(context, command, JSON.stringify(await fileOf(context, command, id))))
  addLeaf(proof, {
    name: 'export',
    arguments: [['<id>', 'id of the proof, or its beginning']],
    summary: 'print a proof as a file that anybody can check without a mesh',
    examples: ['sgsd proof export 3f9c1e07 > proof.json'],
  }).action(async (id: string, _flags, command: Command) => printJson(context, await fileOf(context, command, id)))
  addLeaf(proof, {
    name: 'check',
    arguments: [['<file>', 'what sgsd proof export wrote; - for standard input']],
    nodeless: true,
    summary: 'check a proof by hand: signatures, path, and the chunk itself',
    details: 'Needs no daemon, no network and no trust in whoever sent the file. Exit 0 when fraud is proved, 7 when the proof is wrong.',
    examples: ['sgsd proof check proof.json', 'sgsd proof export 3f9c1e07 | sgsd proof check -'],
  }).action(async (file: string, _flags, command: Command) => check(context, command, await textOf(context, file)))
}

async function read(context: Context, command: Command): Promise<{ document: ProofsDocument; names: ReadonlyMap<string, string> }> {
  const control = await controlOf(context, optionsOf(command))
  const document = await control.get<ProofsDocument>('/v1/proofs', context.signal)
  const { peers } = await control.get<StatusDocument>('/v1/status', context.signal)
  return { document, names: new Map(peers.map(({ peerId, name }) => [peerId, name])) }
}

async function fileOf(context: Context, command: Command, id: string): Promise<ProofFile> {
  if (!/^[0-9a-f]{6,64}$/.test(id)) throw new CliError('ID_INVALID', `${id} is no id of a proof: 6 to 64 hex digits`, EXIT.usage, 'sgsd proof ls')
  return (await controlOf(context, optionsOf(command))).get<ProofFile>(`/v1/proofs/${id}`, context.signal)
}

async function check(context: Context, command: Command, text: string): Promise<void> {
  const outcome = (await context.edges.daemon()).checkProofFile(text)
  if (outcome.verdict !== 'fraud') context.exitCode = EXIT.disagreement
  if (optionsOf(command).json === true) return printJson(context, outcome)
  for (const line of checkLines(outcome, context.terminal.out)) context.terminal.print(line)
}

async function textOf(context: Context, file: string): Promise<string> {
  let text = ''
  for await (const piece of decodePieces(context, file, readPieces(context, file))) {
    text += piece
    if (text.length > MAX_FILE_CHARS) throw new CliError('FILE_TOO_LARGE', `${inputName(file)} is too large for a proof file`, EXIT.usage)
  }
  return text
}
