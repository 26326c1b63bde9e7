import { Argument, type Command } from 'commander'
import { type CommandTree, completionScript, type Shell, SHELLS } from '../completion.ts'
import type { Context } from '../context.ts'

export function addCompletion(program: Command, context: Context): void {
  program
    .command('completion')
    .summary('a completion script for a shell')
    .description('Prints a completion script for a shell.')
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .addHelpText('after', '\nExamples:\n  source <(sgsd completion bash)\n  sgsd completion fish | source')
    .action((shell: Shell) => context.terminal.print(completionScript(shell, treeOf(program)).trimEnd()))
}

/** The commands as they are registered, hidden flags left out. */
export function treeOf(command: Command): CommandTree {
  const help = command.createHelp()
  return {
    name: command.name(),
    summary: command.summary(),
    flags: help.visibleOptions(command).flatMap((option) => option.long ?? []),
    commands: help
      .visibleCommands(command)
      .filter((child) => child.name() !== 'help')
      .map(treeOf),
  }
}
