import { fork } from 'node:child_process'

/** Bytes of standard error that are kept: the loader's message stands in the first lines. */
const MAX_STDERR_CHARS = 16_384

/** Longest sentence of a report. */
const MAX_WHY_CHARS = 240

/** What became of a child process that was to load a driver. */
export type ChildOutcome<Answer> =
  | { readonly type: 'answered'; readonly answer: Answer; readonly stderr: string }
  /** It was killed at its deadline, `why` says after how long. */
  | { readonly type: 'late'; readonly why: string }
  /** It ended without an answer: `how` is a signal or an exit code. */
  | { readonly type: 'died'; readonly how: string; readonly stderr: string }

/**
 * Runs a module in a process of its own and takes the first message that it sends, since a broken driver may hang or crash
 * whoever loads it. Never rejects.
 */
export async function askChild<Answer>(module: URL, args: readonly string[], deadlineMs: number): Promise<ChildOutcome<Answer>> {
  const child = fork(module, args, {
    execArgv: module.pathname.endsWith('.ts') ? ['--conditions=sgsd-source', '--disable-warning=ExperimentalWarning'] : [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let stderr = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    if (stderr.length < MAX_STDERR_CHARS) stderr += text
  })
  let answer: { readonly value: Answer } | undefined
  let late = false
  const timer = setTimeout(() => {
    late = true
    child.kill('SIGKILL')
  }, deadlineMs)
  const how = await new Promise<string>((resolve) => {
    child.on('message', (value) => {
      answer ??= { value: value as Answer }
    })
    child.once('error', (error) => resolve(error.message))
    child.once('close', (code, signal) => resolve(signal === null ? `exit code ${code}` : signal))
  })
  clearTimeout(timer)
  if (answer !== undefined) return { type: 'answered', answer: answer.value, stderr }
  if (late) return { type: 'late', why: `no answer within ${deadlineMs / 1000} s` }
  return { type: 'died', how, stderr }
}

/** One printable line; `libfoo.so.1 is missing: ` comes first when the child's standard error says so. */
export function reportLine(text: string, stderr: string): string {
  const library = /([^\s/\\:"']+\.(?:so(?:\.\d+)*|dll|dylib)): cannot open shared object file/.exec(stderr)?.[1]
  const line = text
    .replaceAll(/[\u0000-\u001f\u007f]+/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
  const whole = library === undefined ? line : `${library} is missing: ${line}`
  return whole.length <= MAX_WHY_CHARS ? whole : `${whole.slice(0, MAX_WHY_CHARS - 1)}…`
}
