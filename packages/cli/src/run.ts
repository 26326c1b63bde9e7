import { CommanderError } from 'commander'
import type { Context } from './context.ts'
import { EXIT } from './exit-code.ts'
import { describeFailure, type Failure } from './failure.ts'
import { buildProgram } from './program.ts'

/**
 * Runs one command line to its end.
 * @param words - the arguments after the program's name
 * @returns the exit code; a failure has been said on standard error, in one line
 */
export async function runCommandLine(words: readonly string[], context: Context): Promise<number> {
  try {
    await buildProgram(context).parseAsync(words, { from: 'user' })
    return context.exitCode
  } catch (error) {
    if (error instanceof CommanderError) return usage(error, context)
    if (context.signal.aborted) return EXIT.interrupted
    const failure = describeFailure(error)
    say(failure, wantsJson(words), context)
    return failure.exitCode
  }
}

/** Help and version end with 0 and have been printed; everything else that commander throws is bad usage. */
function usage(error: CommanderError, context: Context): number {
  if (error.exitCode === 0) return EXIT.ok
  // a group without its subcommand has printed its help
  if (error.code === 'commander.help') return EXIT.usage
  context.terminal.note(`sgsd: ${usageMessage(error.message)}`)
  return EXIT.usage
}

/** commander's words in one line: `unknown command 'stauts' (Did you mean status?)`. */
export function usageMessage(message: string): string {
  const line = message
    .replace(/^error: /, '')
    .replaceAll(/\s*\n\s*/g, ' ')
    .trim()
  return line.includes('Did you mean') ? line.replace('Did you mean', 'did you mean') : `${line}  →  sgsd --help`
}

function say(failure: Failure, json: boolean, { terminal }: Context): void {
  const { code, message, hint } = failure
  if (json) terminal.note(JSON.stringify({ schema: 'sgsd.error/1', code, message, hint }))
  else terminal.note(`${terminal.err.red('sgsd:')} ${message}${hint === '' ? '' : `  →  ${hint}`}`)
}

function wantsJson(words: readonly string[]): boolean {
  const end = words.indexOf('--')
  return (end < 0 ? words : words.slice(0, end)).includes('--json')
}
