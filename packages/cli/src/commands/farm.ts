import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { FarmAccepted, StatusDocument } from '@sgsd/daemon'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { batchesOf, linesOf } from '../farm-lines.ts'
import { CliError } from '../failure.ts'
import { addLeaf, controlOf, optionsOf, printJson } from '../leaf.ts'
import { openProgress } from '../progress.ts'
import { count } from '../text/figures.ts'

const POLL_MS = 500

export function addFarm(program: Command, context: Context): void {
  addLeaf(program, {
    name: 'farm',
    arguments: [['<files...>', 'UTF-8 text, one sentence or verse a line; - reads standard input']],
    summary: 'feed text through the lattice and learn from it',
    details: 'Each line is graded by the line after it; what is learnt becomes layers that the mesh folds. Ctrl-C leaves the daemon farming.',
    examples: ['sgsd farm poems.txt', 'cat *.txt | sgsd farm -', 'sgsd farm poems.txt --no-wait'],
  })
    .option('--no-wait', 'return as soon as the daemon has taken the text')
    .action(async (files: readonly string[], _flags, command: Command) => {
      const flags = optionsOf<{ wait: boolean }>(command)
      const texts = await Promise.all(files.map((file) => readText(context, file)))
      const control = await controlOf(context, flags)
      let lines = 0
      for (const { name, text } of texts) {
        for (const batch of batchesOf(linesOf(text))) {
          lines += (await control.post<FarmAccepted>('/v1/farm', { name, lines: batch }, context.signal)).lines
        }
      }
      const read = async (): Promise<StatusDocument['lattice']> => (await control.get<StatusDocument>('/v1/status', context.signal)).lattice
      const lattice = flags.wait ? await watchFarm(context, read) : await read()
      if (flags.json === true)
        return printJson(context, { schema: 'sgsd.farm/1', lines, farm: lattice.farm, layers: lattice.layers, layer: lattice.layer })
      const { farm } = lattice
      context.terminal.print(
        flags.wait
          ? `${count(farm.lines)} lines farmed, next-line score ${farm.meanScore.toFixed(3)}, ${count(lattice.layers)} layers, newest ${lattice.layer.slice(0, 12) || 'none'}`
          : `${count(lines)} lines taken`,
      )
    })
}

async function readText(context: Context, file: string): Promise<{ name: string; text: string }> {
  if (file === '-') return { name: 'stdin', text: checked('standard input', await context.terminal.readInput()) }
  try {
    return { name: basename(file), text: checked(file, new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file))) }
  } catch (error) {
    if (error instanceof CliError) throw error
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    const why = missing ? 'there is no such file' : error instanceof TypeError ? 'it is not UTF-8' : (error as Error).message
    throw new CliError('TEXT_UNREADABLE', `cannot read ${file}: ${why}`, EXIT.failure, '', { cause: error })
  }
}

function checked(name: string, text: string): string {
  if (linesOf(text).length > 0) return text
  throw new CliError('TEXT_EMPTY', `${name} holds no line of text`, EXIT.failure)
}

async function watchFarm(context: Context, read: () => Promise<StatusDocument['lattice']>): Promise<StatusDocument['lattice']> {
  let lattice = await read()
  const progress = openProgress(context.terminal, 'farming', lattice.farm.total, (perSecond) => `${perSecond.toFixed(1)} lines/s`)
  try {
    while (lattice.farm.state === 'farming') {
      progress.update(lattice.farm.lines)
      await pause(POLL_MS, undefined, { signal: context.signal })
      lattice = await read()
    }
    progress.update(lattice.farm.lines)
  } finally {
    progress.end()
  }
  return lattice
}
