import { readFile, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import type { HeadsDocument, LayerTaken, RowsTaken } from '@sgsd/daemon'
import { type FoldId, ruleOf } from '@sgsd/consensus'
import { encodeRowsBody, MAX_BUNDLE_BYTES, MAX_TENSOR_FILE_BYTES, originOf, readLayer, type TensorFile } from '@sgsd/interop'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import type { ControlClient } from '../edges.ts'
import { EXIT } from '../exit-code.ts'
import { CliError } from '../failure.ts'
import { contentOf, uncompressed } from '../layer-file/formats.ts'
import { addLeaf, controlOf, optionsOf, printJson } from '../leaf.ts'
import { readHanziKernel } from '../shipped-data.ts'
import { plainText } from '../text/display-width.ts'
import { count, shortPeer } from '../text/figures.ts'
import { whyNot } from '../text-file.ts'

const TAKEN: { readonly [R in LayerTaken['result']]: string } = {
  ready: 'taken in: it is part of the consensus',
  waiting: 'taken in; its check goes on',
  known: 'was here already',
  older: 'is older than what this node has of its author',
  kept: 'kept: it is nobody’s head, and stays while it is pinned',
}

export function addImport(program: Command, context: Context): void {
  addLeaf(program, {
    name: 'import',
    arguments: [['<file>', 'a portable layer, .pt, .pt.zst or .safetensors']],
    summary: 'take a layer or tensors in from a file',
    details:
      'A portable layer stays its author’s: signature and hashes are checked. Tensors become a layer of this node: in a mesh that averages, Wτ and Wρ of\n' +
      'the rows that this node owns; in one that sums evidence, the whole numbers N, and each once only. Nothing in a file is ever executed.',
    examples: ['sgsd import atlas.layer.zst', 'sgsd import weights.pt', 'sgsd import counts.safetensors --json'],
  }).action(async (file: string, _flags, command: Command) => {
    const flags = optionsOf(command)
    const content = await read(file)
    const found = contentOf(content)
    const control = await controlOf(context, flags)
    if (found.type === 'bundle') {
      const taken = await control.sendBytes<LayerTaken>('/v1/layers/import', once(content), context.signal)
      if (flags.json === true) return printJson(context, taken)
      return context.terminal.print(`layer ${taken.layer.slice(0, 12)} of ${shortPeer(taken.author)}, its ${taken.seq}: ${TAKEN[taken.result]}`)
    }
    if (found.tensors.type !== 'accept') throw invalid(file, found.tensors.reason)
    const taken = await sendRows(context, control, file, found.tensors.value)
    if (flags.json === true) return printJson(context, taken)
    const left = taken.leftOut === 0 ? '' : `; ${count(taken.leftOut)} left out: other members own them`
    context.terminal.print(`${count(taken.rows)} rows of ${plainText(file)} → layer ${taken.layer.slice(0, 12)}${left}`)
  })
}

async function sendRows(context: Context, control: ControlClient, file: string, tensors: TensorFile): Promise<RowsTaken> {
  const heads = await control.get<HeadsDocument>('/v1/heads', context.signal)
  const kernel = await readHanziKernel()
  const rows = readLayer(tensors, ruleOf(heads.foldId as FoldId), kernel.radicals.subarray(0, kernel.definedCount))
  if (rows.type !== 'accept') throw invalid(file, rows.reason)
  if (rows.value.blocks.length === 0) throw invalid(file, 'there is nothing in it')
  const body = encodeRowsBody(rows.value)
  if (body.length > MAX_BUNDLE_BYTES) throw invalid(file, `its rows are ${body.length} bytes, more than ${MAX_BUNDLE_BYTES}`)
  const query = new URLSearchParams({ name: basename(file), ...originOf(tensors) })
  return control.sendBytes<RowsTaken>(`/v1/layers/rows?${query.toString()}`, once(body), context.signal)
}

async function read(file: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(file)
    if (size > MAX_TENSOR_FILE_BYTES) throw invalid(file, `it has ${size} bytes; ${MAX_TENSOR_FILE_BYTES} are read`)
    return await uncompressed(file, new Uint8Array(await readFile(file)))
  } catch (error) {
    if (error instanceof CliError) throw error
    throw new CliError('FILE_UNREADABLE', `cannot read ${file}: ${whyNot(error)}`, EXIT.usage, '', { cause: error })
  }
}

function invalid(file: string, reason: string): CliError {
  return new CliError('FILE_INVALID', `${file}: ${reason}`, EXIT.usage)
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
