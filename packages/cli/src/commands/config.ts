import { access } from 'node:fs/promises'
import type { Command } from 'commander'
import { configOfEnvironment, environmentName } from '../config/environment.ts'
import { type ConfigValue, fieldConfig, fieldOf, fieldsOf, mergeOverrides, parseValue, renderValue, requireField } from '../config/fields.ts'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { CliError } from '../failure.ts'
import { addGroup, addLeaf, type CommonOptions, dataDirOf, optionsOf, printJson } from '../leaf.ts'
import { type Column, table } from '../text/table.ts'

interface Setting {
  readonly field: string
  readonly value: ConfigValue | undefined
  /** `environment SGSD_…`, `file`, or `default`; flags of `sgsd up` come before all of them. */
  readonly origin: string
}

export function addConfig(program: Command, context: Context): void {
  const group = addGroup(program, 'config', "look at and change this node's configuration")
  addLeaf(group, {
    name: 'get',
    arguments: [['[field]', 'one field, e.g. mine.threads; all of them without it']],
    summary: 'what a setting is, and with --origin where it comes from',
    details: 'A flag of `sgsd up` beats the environment, which beats the file, which beats the default.',
    examples: ['sgsd config get', 'sgsd config get mine.threads', 'SGSD_MINE_THREADS=2 sgsd config get --origin'],
  })
    .option('--origin', 'say where each value comes from')
    .action(async (text: string | undefined, _flags, command: Command) => {
      const flags = optionsOf<{ origin?: boolean }>(command)
      const fields = fieldsOf((await context.edges.daemon()).configSchema.parse({}))
      const wanted = text === undefined ? undefined : requireField(fields, text)
      const settings = (await readSettings(context, flags)).filter(({ field }) => wanted === undefined || field === wanted)
      if (flags.json === true) return printJson(context, { schema: 'sgsd.config/1', settings })
      if (wanted !== undefined && flags.origin !== true) return context.terminal.print(renderValue(settings[0]?.value))
      const columns: Column<Setting>[] = [
        { title: 'FIELD', text: ({ field }) => field },
        { title: 'VALUE', text: ({ value }) => renderValue(value), min: 12 },
        ...(flags.origin === true ? [{ title: 'ORIGIN', text: ({ origin }: Setting) => origin }] : []),
      ]
      for (const line of table(columns, settings, context.terminal.columns(), (head) => context.terminal.out.dim(head))) context.terminal.print(line)
    })
  addLeaf(group, {
    name: 'set',
    arguments: [
      ['<field>', 'e.g. mine.threads'],
      ['<value>', 'lists are separated by commas, switches are true or false, objects are JSON'],
    ],
    summary: 'change one setting in config.json',
    details: 'The whole file is checked before it is written. A running daemon reads it at its next start.',
    examples: [
      'sgsd config set mine.threads 4',
      'sgsd config set listen /ip4/0.0.0.0/tcp/42070,/ip6/::/tcp/42070',
      'sgsd config set mdns false',
      `sgsd config set farm.host '{"kind":"sqlite","path":"grades.db"}'`,
    ],
  }).action(async (name: string, text: string, _flags, command: Command) => {
    const flags = optionsOf(command)
    const daemon = await context.edges.daemon()
    const fields = fieldsOf(daemon.configSchema.parse({}))
    const field = requireField(fields, name)
    const value = parseValue(fields, field, text)
    const { config: file } = daemon.dataDir(await dataDirOf(context, flags))
    await requireMember(context, flags)
    const config = mergeOverrides(await daemon.readRawConfig(file), fieldConfig(field, value))
    const checked = daemon.configSchema.safeParse(config)
    const fault = checked.success ? undefined : checked.error.issues.find((issue) => `${issue.path.join('.')}.`.startsWith(`${field}.`))
    if (fault !== undefined) throw new CliError('VALUE_INVALID', `${fault.path.join('.')}: ${fault.message}`, EXIT.usage)
    await daemon.writeConfig(file, config)
    if (flags.json === true) printJson(context, { schema: 'sgsd.config/1', settings: [{ field, value, origin: 'file' }] })
    else context.terminal.print(`${field} = ${renderValue(value)}`)
  })
  addLeaf(group, { name: 'validate', summary: 'check config.json and name every fault', examples: ['sgsd config validate'] }).action(
    async (_flags, command: Command) => {
      const flags = optionsOf(command)
      const daemon = await context.edges.daemon()
      const { config: file } = daemon.dataDir(await dataDirOf(context, flags))
      const checked = daemon.configSchema.safeParse(await daemon.readRawConfig(file))
      const faults = checked.success ? [] : checked.error.issues.map((issue) => ({ field: issue.path.join('.'), message: issue.message }))
      if (faults.length > 0) context.exitCode = EXIT.configuration
      if (flags.json === true) return printJson(context, { schema: 'sgsd.validate/1', file, ok: faults.length === 0, faults })
      if (faults.length === 0) context.terminal.print(`${file}: no fault`)
      for (const { field, message } of faults) context.terminal.print(`${file}: ${field === '' ? '' : `${field}: `}${message}`)
    },
  )
}

/** @throws CliError NOT_INITIALISED, exit 78: a configuration without a node would be taken for one by nobody */
async function requireMember(context: Context, flags: CommonOptions): Promise<void> {
  const dir = await dataDirOf(context, flags)
  const { config } = (await context.edges.daemon()).dataDir(dir)
  await access(config).catch((error: unknown) => {
    throw new CliError('NOT_INITIALISED', `there is no node in ${dir}`, EXIT.configuration, 'sgsd init founds a mesh, sgsd join enters one', {
      cause: error,
    })
  })
}

async function readSettings(context: Context, flags: CommonOptions): Promise<Setting[]> {
  const daemon = await context.edges.daemon()
  const { config: file } = daemon.dataDir(await dataDirOf(context, flags))
  const fields = fieldsOf(daemon.configSchema.parse({}))
  const environment = configOfEnvironment(fields, context.terminal.env)
  const inFile = await daemon.readRawConfig(file)
  const whole = await daemon.readConfig(file, environment)
  return [...fields.keys()].map((field) => ({
    field,
    value: fieldOf(whole, field),
    origin:
      fieldOf(environment, field) !== undefined ? `environment ${environmentName(field)}` : fieldOf(inFile, field) !== undefined ? 'file' : 'default',
  }))
}
