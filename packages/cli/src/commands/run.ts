import { basename } from 'node:path'
import type { RunLine } from '@sgsd/daemon'
import type { Program, ProgramFault } from '@sgsd/lattice'
import { type Command, InvalidArgumentError } from 'commander'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { CliError } from '../failure.ts'
import { addLeaf, controlOf, optionsOf, printJson } from '../leaf.ts'
import { readProgramSource } from '../program-source.ts'
import { endView, opView, startView } from '../view/run.ts'

interface RunFlags {
  readonly layer?: string
  readonly check?: boolean
}

export function addRun(program: Command, context: Context): void {
  addLeaf(program, {
    name: 'run',
    arguments: [['<file>', 'a trajectory program in YAML; - reads it from standard input']],
    summary: 'run a trajectory program: cover, teacher, converge, feedback, particles',
    details:
      'It steps the consensus as it is now, in the same arithmetic on every machine: equal program and consensus give equal SHA-256.\n' +
      'Nothing is learned, and the running lattice stays as it is. docs/trajectories.md describes the language.',
    examples: ['sgsd run docs/examples/moon.yml', 'sgsd run moon.yml --layer 3f9c1e07', 'sgsd run moon.yml --check', 'sgsd run - --json < moon.yml'],
  })
    .option('--layer <id>', 'run for this layer: on its lattice alone, and as `own`; 6 or more digits of its id', layerPrefix)
    .option('--check', 'only check the program; needs no daemon')
    .action(async (file: string, _flags, command: Command) => {
      const flags = optionsOf<RunFlags>(command)
      const name = file === '-' ? 'stdin' : file
      const { program, json } = await readProgram(context, file, name)
      if (flags.check === true) {
        if (flags.json === true) return printJson(context, { schema: 'sgsd.program/1', file: name, ops: program.ops.length, faults: [] })
        return context.terminal.print(`${name}: a good program of ${program.ops.length} ops`)
      }
      const control = await controlOf(context, flags)
      const body = { program: json, ...(flags.layer === undefined ? {} : { layer: flags.layer }) }
      await follow(context, control.lines<RunLine>('/v1/run', body, context.signal), program, name, flags.json === true)
    })
}

/** Prints the lines of a run as they come, or one document at its end. @throws CliError with the code of what failed, exit 1 */
async function follow(context: Context, lines: AsyncIterable<RunLine>, program: Program, name: string, json: boolean): Promise<void> {
  const { terminal } = context
  const ops: unknown[] = []
  let started: Extract<RunLine, { event: 'started' }> | undefined
  for await (const line of lines) {
    switch (line.event) {
      case 'started':
        started = line
        if (!json) for (const text of startView(line, name, terminal.columns(), terminal.out)) terminal.print(text)
        break
      case 'op': {
        const { event: _event, ...report } = line
        if (json) ops.push({ ...report, line: program.ops[line.index]?.at?.line ?? 0 })
        else for (const text of opView(line, program.ops[line.index], terminal.columns(), terminal.out)) terminal.print(text)
        break
      }
      case 'progress':
        if (terminal.errLive)
          terminal.writeErr(`\r${terminal.err.dim(`op ${line.index + 1}: ${line.steps} steps, moved ${line.moved.toExponential(1)}`)}\u001B[K\r`)
        break
      case 'failed':
        throw new CliError(line.code, renderPlace(program, line.index, name) + line.message, line.code === 'TEXT_UNKNOWN' ? EXIT.usage : EXIT.failure)
      case 'end':
        if (json) printJson(context, { ...document(started, name), ops, steps: line.steps, sha256: line.sha256, top: line.top })
        else for (const text of endView(line, terminal.columns(), terminal.out)) terminal.print(text)
        return
    }
  }
  throw new CliError('RUN_BROKEN_OFF', 'the daemon ended the run before its end', EXIT.failure, 'sgsd status')
}

function document(started: Extract<RunLine, { event: 'started' }> | undefined, file: string): object {
  if (started === undefined) return { schema: 'sgsd.run/1', file }
  const { event: _event, ops: _ops, schema, ...rest } = started
  return { schema, file, ...rest }
}

/** `poem.yml:7:5: ` */
function renderPlace(program: Program, index: number, name: string): string {
  const at = program.ops[index]?.at
  return at === undefined ? `${name}: ` : `${name}:${at.line}:${at.column}: `
}

async function readProgram(context: Context, file: string, name: string): Promise<{ readonly program: Program; readonly json: unknown }> {
  const { MAX_PROGRAM_BYTES, parseProgram, renderFault } = await import('@sgsd/lattice')
  const parsed = parseProgram(await readProgramSource(context, file, MAX_PROGRAM_BYTES))
  if (!('faults' in parsed)) return parsed
  const lines = parsed.faults.map((fault: ProgramFault) => renderFault(fault, name))
  const hint = 'docs/trajectories.md describes the language'
  if (lines.length === 1) throw new CliError('PROGRAM_INVALID', lines[0]!, EXIT.usage, hint)
  for (const line of lines) context.terminal.note(line)
  throw new CliError('PROGRAM_INVALID', `${basename(name)} has ${lines.length} faults`, EXIT.usage, hint)
}

function layerPrefix(text: string): string {
  if (/^[0-9a-f]{6,64}$/.test(text)) return text
  throw new InvalidArgumentError('6 to 64 lower-case hex digits of a layer id are needed')
}
