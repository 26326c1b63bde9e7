import { addAbortSignal } from 'node:stream'
import { colourDepth, type Style, styleOf } from './text/style.ts'

/** Columns assumed where no terminal says otherwise. */
const DEFAULT_COLUMNS = 100

/** The two streams of a command: results on one, messages for people on the other. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Styles of results (stdout) and of messages (stderr). */
  readonly out: Style
  readonly err: Style
  /** The stream may be redrawn in place. */
  readonly outLive: boolean
  readonly errLive: boolean
  columns(): number
  /** Lines a redrawn view may have. */
  rows(): number
  /** One line of result. */
  print(line: string): void
  /** One line of message. */
  note(line: string): void
  /** Raw bytes for redrawing. */
  writeOut(text: string): void
  writeErr(text: string): void
  /** Everything on standard input, as UTF-8; with `most`, no more than soon after so many bytes. */
  readInput(most?: number): Promise<string>
  /** Standard input piece by piece, however long it is; ends with an error when the signal fires. */
  inputBytes(signal: AbortSignal): AsyncIterable<Uint8Array>
}

/** The process's own streams. A reader that goes away early (`| head`) ends the process quietly. */
export function processTerminal(): Terminal {
  const { stdout, stderr, stdin, env } = process
  for (const stream of [stdout, stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(0)
      throw error
    })
  }
  const dumb = env['TERM'] === 'dumb'
  return {
    env,
    out: styleOf(colourDepth(env, stdout.isTTY)),
    err: styleOf(colourDepth(env, stderr.isTTY)),
    outLive: stdout.isTTY && !dumb,
    errLive: stderr.isTTY && !dumb,
    // a pseudo-terminal that nobody gave a size says 0
    columns: () => stdout.columns || stderr.columns || Number(env['COLUMNS']) || DEFAULT_COLUMNS,
    rows: () => stdout.rows || 24,
    print: (line) => void stdout.write(`${line}\n`),
    note: (line) => void stderr.write(`${line}\n`),
    writeOut: (text) => void stdout.write(text),
    writeErr: (text) => void stderr.write(text),
    readInput: async (most = Infinity) => {
      const pieces: Buffer[] = []
      let bytes = 0
      for await (const piece of stdin) {
        pieces.push(piece as Buffer)
        bytes += (piece as Buffer).length
        if (bytes > most) break
      }
      return Buffer.concat(pieces).toString('utf8')
    },
    inputBytes: (signal) => addAbortSignal(signal, stdin) as AsyncIterable<Buffer>,
  }
}
