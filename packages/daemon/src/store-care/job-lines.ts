import type { DaemonError } from '../daemon-error.ts'
import { pause } from '../pause.ts'
import type { StoreDocument, StoreJob, StoreLine, StoreProgress } from './documents.ts'
import type { JobOptions, StoreCare } from './store-care.ts'

/** Between two lines of progress. */
const REPORT_MS = 250
/** With nothing new to say, the last line is said again this often: silence would look like a hang. */
const REPEAT_MS = 5_000

export interface StoreRequest {
  readonly job: StoreJob
  /** gc: only say what would go. */
  readonly dryRun?: boolean | undefined
  /** gc: instead of `store.graceMinutes`. */
  readonly graceMs?: number | undefined
  /** scrub: reads no faster; 0: as fast as it goes. */
  readonly bytesPerSecond?: number | undefined
}

/** Runs a job and tells of it: progress, then `end` or `failed`. The job is ended when nobody reads on. */
export async function* jobLines(care: StoreCare, request: StoreRequest, signal: AbortSignal): AsyncGenerator<StoreLine> {
  const unread = new AbortController()
  let progress: StoreProgress | undefined
  let told: StoreProgress | undefined
  let toldAt = 0
  const options = { signal: AbortSignal.any([signal, unread.signal]), report: (now: StoreProgress) => void (progress = now) }
  const ended = new AbortController()
  const running = start(care, request, options).finally(() => ended.abort())
  running.catch(() => {})
  try {
    while (!ended.signal.aborted) {
      await pause(REPORT_MS, ended.signal)
      if (ended.signal.aborted || progress === undefined) continue
      if (progress === told && performance.now() - toldAt < REPEAT_MS) continue
      told = progress
      toldAt = performance.now()
      yield told
    }
    yield { event: 'end', document: await running }
  } catch (error) {
    if (unread.signal.aborted) return
    const { code, message, hint = '' } = error as Partial<DaemonError> & Error
    yield { event: 'failed', code: typeof code === 'string' ? code : 'FAILED', message: signal.aborted ? 'the daemon stops' : message, hint }
  } finally {
    unread.abort()
    await running.catch(() => {})
  }
}

function start(care: StoreCare, { job, dryRun, graceMs, bytesPerSecond }: StoreRequest, options: JobOptions): Promise<StoreDocument> {
  switch (job) {
    case 'du':
      return care.usage(options)
    case 'gc':
      return care.collect({ ...options, dryRun: dryRun === true, graceMs })
    case 'scrub':
      return care.scrub({ ...options, bytesPerSecond: bytesPerSecond ?? 0 })
    default:
      return job satisfies never
  }
}
