import type { LayerDiffDocument, LayerDocument, LayerLogDocument, LayersDocument, LayerVerifyDocument } from '@sgsd/daemon'
import type { Command } from 'commander'
import type { Context } from '../../context.ts'
import { EXIT } from '../../exit-code.ts'
import { addLeaf, controlOf, optionsOf, printJson, wholeNumber } from '../../leaf.ts'
import { diffView } from '../../view/layer-diff.ts'
import { layerLog } from '../../view/layer-log.ts'
import { layersView, layerView, verifyView } from '../../view/layers.ts'

/** Rows of a table that `log` shows, and changes that `diff` names, unless said. */
const DEFAULT_LOG = 20
const DEFAULT_TOP = 10
const MOST = 1_000

const LAYER = 'the beginning of its id, own, or a peer id for its head'

/** `layer ls`, `log`, `show`, `diff` and `verify`: they change nothing. */
export function addLook(layer: Command, context: Context): void {
  const { terminal } = context
  addLeaf(layer, {
    name: 'ls',
    summary: 'heads and pinned layers',
    details: 'In the last column: c part of the consensus, p pinned, m a merge, and how many blocks are not here.',
    examples: ['sgsd layer ls', 'sgsd layer ls --all --json'],
  })
    .option('-a, --all', 'every layer that is known here')
    .action(async (_flags, command: Command) => {
      const flags = optionsOf<{ all?: boolean }>(command)
      const control = await controlOf(context, flags)
      const found = await control.get<LayersDocument>(`/v1/layers?all=${flags.all === true ? 1 : 0}`, context.signal)
      if (flags.json === true) return printJson(context, found)
      for (const line of layersView(found, terminal.columns(), terminal.out)) terminal.print(line)
    })
  addLeaf(layer, {
    name: 'log',
    arguments: [['[layer]', `where to begin: ${LAYER}; all heads unless said`]],
    summary: 'layers and their parents, across all members',
    details: 'Every layer stands before its parents. Parents that are not known here are said to be unknown: they are not fetched unasked.',
    examples: ['sgsd layer log', 'sgsd layer log --graph -n 50', 'sgsd layer log own --json'],
  })
    .option('-g, --graph', 'draw who descends from whom')
    .option('-n, --count <count>', `layers, at most (default: ${DEFAULT_LOG})`, wholeNumber(1, MOST))
    .action(async (from: string | undefined, _flags, command: Command) => {
      const flags = optionsOf<{ graph?: boolean; count?: number }>(command)
      const control = await controlOf(context, flags)
      const query = `most=${flags.count ?? DEFAULT_LOG}${from === undefined ? '' : `&from=${encodeURIComponent(from)}`}`
      const log = await control.get<LayerLogDocument>(`/v1/layers/log?${query}`, context.signal)
      if (flags.json === true) return printJson(context, log)
      for (const line of layerLog(log, flags.graph === true, terminal.columns(), terminal.out)) terminal.print(line)
    })
  addLeaf(layer, {
    name: 'show',
    arguments: [['<layer>', LAYER]],
    summary: 'everything that a layer says of itself: manifest, blocks, which lines it learned',
    examples: ['sgsd layer show own', 'sgsd layer show 3f9c1e07 --json'],
  }).action(async (name: string, _flags, command: Command) => {
    const flags = optionsOf(command)
    const control = await controlOf(context, flags)
    const found = await control.get<LayerDocument>(`/v1/layers/show?id=${encodeURIComponent(name)}`, context.signal)
    if (flags.json === true) return printJson(context, found)
    for (const line of layerView(found, terminal.columns(), terminal.out)) terminal.print(line)
  })
  addLeaf(layer, {
    name: 'diff',
    arguments: [
      ['<a>', LAYER],
      ['<b>', 'the same'],
    ],
    summary: 'what stands otherwise in b than in a: rows and edges by radical, and the greatest changes',
    examples: ['sgsd layer diff 3f9c1e07 own', 'sgsd layer diff 3f9c1e07 own --top 50 --json'],
  })
    .option('--top <count>', `changes to name (default: ${DEFAULT_TOP})`, wholeNumber(0, MOST))
    .action(async (a: string, b: string, _flags, command: Command) => {
      const flags = optionsOf<{ top?: number }>(command)
      const control = await controlOf(context, flags)
      const diff = await control.post<LayerDiffDocument>('/v1/layers/diff', { a, b, top: flags.top ?? DEFAULT_TOP }, context.signal)
      if (flags.json === true) return printJson(context, diff)
      for (const line of diffView(diff, terminal.columns(), terminal.out)) terminal.print(line)
    })
  addLeaf(layer, {
    name: 'verify',
    arguments: [['<layer>', LAYER]],
    summary: 'read every block of a layer: hash, form, fit to the lattice, lineage, parents',
    details: 'Exit 7 when a check fails or cannot be made.',
    examples: ['sgsd layer verify own', 'sgsd layer verify 3f9c1e07 --json'],
  }).action(async (name: string, _flags, command: Command) => {
    const flags = optionsOf(command)
    const control = await controlOf(context, flags)
    const found = await control.post<LayerVerifyDocument>('/v1/layers/verify', { id: name }, context.signal)
    if (!found.ok) context.exitCode = EXIT.disagreement
    if (flags.json === true) return printJson(context, found)
    for (const line of verifyView(found, terminal.columns(), terminal.out)) terminal.print(line)
  })
}
