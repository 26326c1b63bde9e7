/** What the process tells its caller. Scripts rely on these: a number never changes its meaning. */
export const EXIT = {
  ok: 0,
  /** The command was understood and failed. */
  failure: 1,
  /** Unknown command or flag, or a value that cannot be. */
  usage: 2,
  /** No daemon runs on this data directory. */
  notRunning: 3,
  /** It works, but not as it should: `status --check`, `doctor`. */
  degraded: 4,
  notPermitted: 5,
  timeout: 6,
  /** Nodes disagree, or a figure was not reproduced. */
  disagreement: 7,
  /** Bad configuration or identity (EX_CONFIG). */
  configuration: 78,
  /** Ctrl-C (128 + SIGINT). */
  interrupted: 130,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]
