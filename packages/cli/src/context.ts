import type { Edges } from './edges.ts'
import type { ExitCode } from './exit-code.ts'
import type { Terminal } from './terminal.ts'

/** What every command gets. */
export interface Context {
  readonly terminal: Terminal
  readonly edges: Edges
  /** Fires on Ctrl-C or SIGTERM, with an Interrupted as its reason. */
  readonly signal: AbortSignal
  /** Version of the software. */
  readonly version: string
  /** What the process will exit with when the command ends without an error. */
  exitCode: ExitCode | number
}
