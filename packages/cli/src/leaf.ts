import { Command, InvalidArgumentError } from 'commander'
import type { Context } from './context.ts'
import type { ControlClient } from './edges.ts'

/** Options that every command has. */
export interface CommonOptions {
  readonly json?: boolean
  readonly dataDir?: string
}

export interface Leaf {
  readonly name: string
  /** Arguments as commander writes them: `<text...>`, `[invite]`. */
  readonly arguments?: readonly (readonly [syntax: string, description: string])[]
  readonly summary: string
  /** Sentences below the summary in the command's own help. */
  readonly details?: string
  readonly examples: readonly string[]
  /** It works on no node: no --data-dir. */
  readonly nodeless?: boolean
}

/** A command that does something: description, the common options, and examples at the end of its help. */
export function addLeaf(parent: Command, { name, arguments: args = [], summary, details, examples, nodeless }: Leaf): Command {
  const command = parent
    .command(name)
    .summary(summary)
    .description(`${sentence(summary)}${details === undefined ? '' : `\n${details}`}`)
  for (const [syntax, description] of args) command.argument(syntax, description)
  command.option('--json', 'print one JSON document on standard output')
  if (nodeless !== true) command.option('--data-dir <dir>', 'data directory of the node (environment: SGSD_DATA_DIR)')
  return command.addHelpText('after', `\nExamples:\n${examples.map((example) => `  ${example}`).join('\n')}`)
}

function sentence(summary: string): string {
  return `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`
}

/** A command that only groups others. */
export function addGroup(parent: Command, name: string, summary: string): Command {
  return parent.command(name).summary(summary).description(sentence(summary))
}

/** Options of a command, with those given before its name. */
export function optionsOf<T extends object>(command: Command): T & CommonOptions {
  return command.optsWithGlobals<T & CommonOptions>()
}

/** The data directory a command works on: flag, else environment, else the platform's place. */
export async function dataDirOf(context: Context, { dataDir }: CommonOptions): Promise<string> {
  return dataDir ?? (await context.edges.daemon()).defaultDataDir(context.terminal.env)
}

/** The daemon that runs on the command's data directory. */
export async function controlOf(context: Context, options: CommonOptions): Promise<ControlClient> {
  return (await context.edges.daemon()).openControl(await dataDirOf(context, options))
}

/** The next command to type, on the same data directory. */
export function nextCommand(words: string, { dataDir }: CommonOptions): string {
  return dataDir === undefined
    ? `sgsd ${words}`
    : `sgsd ${words} --data-dir ${/^[\w./~+-]+$/.test(dataDir) ? dataDir : `'${dataDir.replaceAll("'", String.raw`'\''`)}'`}`
}

/** Reads a whole number in [least, most] from an argument. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
    if (value >= least && value <= most) return value
    throw new InvalidArgumentError(`a whole number from ${least} to ${most} is needed`)
  }
}

/** Reads a 64-bit number: decimal, `0x…`, or `2^40`. */
export function bigNumber(text: string): bigint {
  const power = /^2\^(\d{1,2})$/.exec(text)
  const value = power === null ? (/^(\d+|0x[\da-f]+)$/i.test(text) ? BigInt(text) : -1n) : 1n << BigInt(power[1]!)
  if (value >= 0n && value < 1n << 64n) return value
  throw new InvalidArgumentError('a number below 2^64 is needed: decimal, 0x…, or 2^40')
}

/** Collects an option that may be given more than once. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}

/** Prints a document for programs: one line on standard output. */
export function printJson(context: Context, document: unknown): void {
  context.terminal.print(JSON.stringify(document))
}
