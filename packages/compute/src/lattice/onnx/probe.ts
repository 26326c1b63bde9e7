import { fork } from 'node:child_process'
import { reportLine } from '../../report-line.ts'
import type { ProviderName } from '../../onnx/ort.ts'

/** How long a provider may take to initialise and to answer, ms: a cold CUDA context took up to 6 s elsewhere. */
export const PROBE_DEADLINE_MS = 20_000

/** Bytes of standard error that are kept: the loader's message stands in the first lines. */
const MAX_STDERR_CHARS = 16_384

/** How long the child may take to end after its answer, ms: it still asks the driver for the card's name. */
const END_DEADLINE_MS = 3_000

/** What the child process reports; the name of the card comes after the answer, so that asking for it cannot spoil that. */
export type ProbeMessage = ProbeAnswer | { readonly type: 'card'; readonly name: string }

export type ProbeAnswer =
  | { readonly type: 'passed'; readonly stepMs: number; readonly largestError: number }
  | { readonly type: 'wrong'; readonly largestError: number }
  | { readonly type: 'failed'; readonly message: string }

export type ProbeResult =
  /** `stepMs`: time of one step of the canary lattice; `card`: as its driver calls it, where that says so */
  | { readonly state: 'passed'; readonly stepMs: number; readonly why: string; readonly card?: string }
  | { readonly state: 'wrong' | 'missing'; readonly why: string }

export interface ProbeOptions {
  readonly deadlineMs?: number
  /** The child's module; tests put a misbehaving one here. */
  readonly child?: URL
}

/**
 * Runs the known-answer lattice on a provider in a process of its own, since a broken driver may hang or crash whoever loads it.
 * Never rejects: whatever happens to the child becomes a sentence.
 */
export async function probeProvider(provider: ProviderName, options: ProbeOptions = {}): Promise<ProbeResult> {
  const { deadlineMs = PROBE_DEADLINE_MS, child: module = CHILD } = options
  const child = fork(module, [provider], {
    execArgv: module.pathname.endsWith('.ts') ? ['--conditions=sgsd-source', '--disable-warning=ExperimentalWarning'] : [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let stderr = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    if (stderr.length < MAX_STDERR_CHARS) stderr += text
  })
  let answer: ProbeAnswer | undefined
  let card: string | undefined
  const giveUp = (): void => void child.kill('SIGKILL')
  let timer = setTimeout(giveUp, deadlineMs)
  const end = await new Promise<string>((resolve) => {
    child.on('message', (message: ProbeMessage) => {
      if (message.type === 'card') {
        card = reportLine(message.name, '')
        return
      }
      answer = message
      clearTimeout(timer)
      timer = setTimeout(giveUp, END_DEADLINE_MS)
    })
    child.once('error', (error) => resolve(error.message))
    child.once('close', (code, signal) => resolve(signal === null ? `exit code ${code}` : signal))
  })
  clearTimeout(timer)
  if (answer !== undefined) {
    const result = judge(answer, stderr)
    return result.state === 'passed' && card !== undefined ? { ...result, card } : result
  }
  if (child.killed) return { state: 'missing', why: `no answer within ${deadlineMs / 1000} s` }
  return { state: 'missing', why: sentence(`the probe died (${end})`, stderr) }
}

/** Turns what a child said into a result; the library that the loader missed stands in its standard error only. */
export function judge(answer: ProbeAnswer, stderr: string): ProbeResult {
  switch (answer.type) {
    case 'passed':
      return { state: 'passed', stepMs: answer.stepMs, why: `answered right, ${answer.stepMs.toFixed(2)} ms a step` }
    case 'wrong':
      return { state: 'wrong', why: `its step differs from the reference by ${answer.largestError.toPrecision(2)}` }
    case 'failed':
      return { state: 'missing', why: sentence(answer.message, stderr) }
  }
}

const CHILD = new URL(import.meta.url.endsWith('.ts') ? './probe-child.ts' : './probe-child.js', import.meta.url)

/** A line without the source positions that ONNX Runtime puts first, and with what Dawn finds the driver to lack. */
function sentence(text: string, stderr: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim()
  const lacks = /^Warning: (.+ required)\.$/m.exec(stderr)?.[1]
  const said = line.replace(/^.*\bwas false\. /, '').replaceAll(/\/onnxruntime_src\/\S+\s/g, '')
  return reportLine(lacks === undefined ? said : `${said} (${lacks})`, stderr)
}
