import { rm, writeFile } from 'node:fs/promises'
import { layerTensors, MAX_BUNDLE_BYTES, splitLayerBundle } from '@sgsd/interop'
import { type Command, Option } from 'commander'
import type { Context } from '../context.ts'
import type { ControlClient } from '../edges.ts'
import { EXIT } from '../exit-code.ts'
import { CliError } from '../failure.ts'
import { must, readConsensus } from '../layer-file/consensus.ts'
import { compressed, encodeTensors, type TensorFormat } from '../layer-file/formats.ts'
import { addLeaf, controlOf, nextCommand, optionsOf, printJson } from '../leaf.ts'
import { bytes } from '../text/figures.ts'
import { whyNot } from '../text-file.ts'

interface ExportFlags {
  readonly format?: TensorFormat | 'layer'
  readonly out?: string
  readonly force?: boolean
}

/** What was exported. */
interface Exported {
  /** `layer` or `consensus`, and its whole id. */
  readonly what: 'layer' | 'consensus'
  readonly id: string
  readonly content: Uint8Array
}

/** As every command that takes a layer: the beginning of its id, this node's head, or a member's by its peer id. */
const LAYER_NAME = /^(?:own|[0-9a-f]{4,64}|12D3Koo[1-9A-HJ-NP-Za-km-z]{45})$/
/** Hex digits of an id in the name of a file. */
const NAMED_DIGITS = 12

const ENDINGS = { pt: '.pt.zst', safetensors: '.safetensors', layer: '.layer.zst' } as const

export function addExport(program: Command, context: Context): void {
  addLeaf(program, {
    name: 'export',
    arguments: [['[layer]', 'id of a layer or its beginning, a peer id, own, or consensus (default: own)']],
    summary: 'write a layer or the consensus to a file: for PyTorch, as safetensors, or portable',
    details:
      'pt loads with torch.load (weights_only=True too): sparse Wτ and Wρ, or counts N, dense s, strings under meta. layer is the signed original, which\n' +
      'another node of the mesh takes in with sgsd import. Files whose name ends in .zst are compressed; torch.load needs them unpacked (unzstd).',
    examples: [
      'sgsd export',
      'sgsd export consensus --out consensus.pt',
      'sgsd export 3fa2c81b90 --format safetensors',
      'sgsd export --format layer --out mine.layer.zst',
    ],
  })
    .addOption(new Option('--format <format>', 'what to write (default: pt)').choices(['pt', 'safetensors', 'layer']))
    .option('--out <file>', 'where to (default: named for the layer, in this folder)')
    .option('--force', 'replace a file that is there')
    .action(async (wanted: string | undefined, _flags, command: Command) => {
      const flags = optionsOf<ExportFlags>(command)
      const format = flags.format ?? 'pt'
      const control = await controlOf(context, flags)
      const { what, id, content } = await exported(context, control, wanted, format)
      const out = flags.out ?? `${what}-${id.slice(0, NAMED_DIGITS)}${ENDINGS[format]}`
      const packed = out.endsWith('.zst') ? await compressed(content) : content
      await write(out, packed, flags.force === true)
      if (flags.json === true) return printJson(context, { schema: 'sgsd.export/1', file: out, format, what, id, bytes: packed.length })
      context.terminal.print(`${what} ${id.slice(0, NAMED_DIGITS)} → ${out} (${bytes(packed.length)})`)
      if (format === 'layer') context.terminal.print(`on another node: ${nextCommand(`import ${out}`, {})}`)
    })
}

async function exported(context: Context, control: ControlClient, wanted: string | undefined, format: TensorFormat | 'layer'): Promise<Exported> {
  if (wanted === 'consensus') {
    if (format === 'layer')
      throw new CliError(
        'USAGE',
        'a consensus is nobody’s layer: it has no signature; export the layers it is folded from',
        EXIT.usage,
        'sgsd layer ls',
      )
    const { heads, file } = await readConsensus(control, context.signal)
    return { what: 'consensus', id: heads.consensus, content: encodeTensors(format, file) }
  }
  if (wanted !== undefined && !LAYER_NAME.test(wanted))
    throw new CliError('USAGE', `${wanted} is no layer: 4 to 64 hex digits, a peer id, own, or consensus`, EXIT.usage, 'sgsd layer ls')
  const portable = await control.bytes(`/v1/layers/${wanted ?? 'own'}/bundle`, MAX_BUNDLE_BYTES, context.signal)
  const bundle = must(splitLayerBundle(portable))
  return { what: 'layer', id: bundle.layer, content: format === 'layer' ? portable : encodeTensors(format, must(layerTensors(bundle))) }
}

/** All of it or nothing. @throws CliError FILE_EXISTS | FILE_UNWRITABLE */
async function write(file: string, content: Uint8Array, force: boolean): Promise<void> {
  try {
    await writeFile(file, content, { flag: force ? 'w' : 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST')
      throw new CliError('FILE_EXISTS', `${file} is there already`, EXIT.failure, '--force replaces it')
    await rm(file, { force: true }).catch(() => {})
    throw new CliError('FILE_UNWRITABLE', `cannot write ${file}: ${whyNot(error)}`, EXIT.failure, '', { cause: error })
  }
}
