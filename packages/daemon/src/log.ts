import { type Logger, pino } from 'pino'

/** Names of fields whose values never reach a log. */
const SECRET_FIELDS = ['secret', 'meshKey', 'privateKey', 'identity', 'invite', 'token', 'authorization']

/**
 * JSON lines on standard error, or short plain lines when a person is looking (`human`).
 * Constant text plus fields; secrets are blanked by name.
 */
export function openLog(level: string, human: boolean, write: (line: string) => void = (line) => void process.stderr.write(line)): Logger {
  const options = {
    level,
    base: null,
    redact: { paths: SECRET_FIELDS.flatMap((name) => [name, `*.${name}`]), censor: '[redacted]' },
    timestamp: pino.stdTimeFunctions.isoTime,
  }
  return pino(options, { write: human ? (line: string) => write(plain(line)) : write })
}

const LEVELS: Readonly<Record<number, string>> = { 10: 'trace', 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' }

function plain(line: string): string {
  const { time, level, msg, ...fields } = JSON.parse(line) as { time: string; level: number; msg?: string } & Record<string, unknown>
  const rest = Object.entries(fields).map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
  return `${time.slice(11, 19)} ${(LEVELS[level] ?? String(level)).padEnd(5)} ${msg ?? ''}${rest.length > 0 ? `  ${rest.join(' ')}` : ''}\n`
}
