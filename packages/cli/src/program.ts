import { Command } from 'commander'
import { addAsk } from './commands/ask.ts'
import { addBench } from './commands/bench.ts'
import { addBundle } from './commands/bundle.ts'
import { addChain } from './commands/chain.ts'
import { addColor } from './commands/color.ts'
import { addCompletion } from './commands/completion.ts'
import { addConfig } from './commands/config.ts'
import { addConsensus } from './commands/consensus.ts'
import { addDemo } from './commands/demo.ts'
import { addDisambiguate } from './commands/disambiguate.ts'
import { addDoctor } from './commands/doctor.ts'
import { addDown } from './commands/down.ts'
import { addEval } from './commands/eval.ts'
import { addEvents } from './commands/events.ts'
import { addFarm } from './commands/farm.ts'
import { addExport } from './commands/export.ts'
import { addGame } from './commands/game.ts'
import { addGit } from './commands/git.ts'
import { addImport } from './commands/import.ts'
import { addInit } from './commands/init.ts'
import { addInvite } from './commands/invite.ts'
import { addJoin } from './commands/join.ts'
import { addLayer } from './commands/layer.ts'
import { addLeave } from './commands/leave.ts'
import { addMine } from './commands/mine.ts'
import { addPeer } from './commands/peer.ts'
import { addProof } from './commands/proof.ts'
import { addRanges } from './commands/ranges.ts'
import { addRun } from './commands/run.ts'
import { addScale } from './commands/scale.ts'
import { addSet } from './commands/set.ts'
import { addSimilar } from './commands/similar.ts'
import { addStatus } from './commands/status.ts'
import { addStore } from './commands/store.ts'
import { addToken } from './commands/token.ts'
import { addUp } from './commands/up.ts'
import { addVerify } from './commands/verify.ts'
import type { Context } from './context.ts'
import { addServiceCommands } from './service/index.ts'

const EXIT_CODES = `
Exit codes:
  0 ok   1 failure   2 usage   3 daemon not running   4 degraded   5 not permitted   6 timeout
  7 disagreement or failed verification   78 bad configuration or identity   130 interrupted

Environment:
  SGSD_DATA_DIR, NO_COLOR, FORCE_COLOR, and SGSD_<FIELD> for every field of sgsd config get

First steps:
  sgsd demo                      three nodes on this machine, one consensus
  sgsd init && sgsd up           found a mesh; prints an invite
  sgsd join '<invite>'           on the next machine`

/** The whole command line. Parsing never ends the process: commander throws a CommanderError instead. */
export function buildProgram(context: Context): Command {
  const program = new Command('sgsd')
    .description('A peer-to-peer daemon: mines colours, farms a lattice of Chinese characters, and merges both into one consensus.')
    .version(context.version, '-V, --version')
    .enablePositionalOptions()
    .option('--json', 'print one JSON document on standard output')
    .option('--data-dir <dir>', 'data directory of the node (environment: SGSD_DATA_DIR)')
    .addHelpText('after', EXIT_CODES)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.terminal.print(text.trimEnd()),
      writeErr: (text) => context.terminal.note(text.trimEnd()),
      // said once and in our own words by whoever catches the error
      outputError: () => {},
      getOutHelpWidth: () => context.terminal.columns(),
      getErrHelpWidth: () => context.terminal.columns(),
      getOutHasColors: () => context.terminal.out.depth > 0,
      getErrHasColors: () => context.terminal.err.depth > 0,
    })
  program.commandsGroup('Start:')
  for (const add of [addInit, addUp, addDown, addServiceCommands, addDoctor, addDemo]) add(program, context)
  program.commandsGroup('Mesh:')
  for (const add of [addInvite, addJoin, addLeave, addPeer, addProof]) add(program, context)
  program.commandsGroup('Look:')
  for (const add of [addStatus, addEvents]) add(program, context)
  program.commandsGroup('Colours:')
  for (const add of [addMine, addColor, addChain, addVerify, addBench, addScale, addBundle, addRanges, addGame]) add(program, context)
  program.commandsGroup('Lattice:')
  for (const add of [addAsk, addSimilar, addFarm, addRun, addSet, addDisambiguate, addEval]) add(program, context)
  program.commandsGroup('Layers:')
  for (const add of [addLayer, addConsensus, addExport, addImport, addGit]) add(program, context)
  program.commandsGroup('Rest:')
  for (const add of [addStore, addConfig, addToken, addCompletion]) add(program, context)
  program.addHelpCommand(new Command('help').argument('[command]').summary('help for a command').helpGroup('Rest:'))
  return program
}
