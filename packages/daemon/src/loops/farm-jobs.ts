import type { BlockId, LayerId } from '@sgsd/consensus'
import { z } from 'zod'

/** A queued text and how far it has been farmed. */
export interface FarmJob {
  readonly name: string
  /** Its lines, joined by newlines, as a block. */
  readonly block: BlockId
  readonly total: number
  /** First line not farmed yet. */
  readonly next: number
  /** A commit under way: `next` becomes this once the layer is the own head. */
  readonly pending: { readonly next: number; readonly layer: LayerId } | undefined
}

export interface FarmJobs {
  readonly jobs: readonly FarmJob[]
  /** Lines of jobs that are done and gone. */
  readonly finishedLines: number
}

const count = z.int().min(0)
const digest = z.string().regex(/^[0-9a-f]{64}$/)
const schema = z.object({
  jobs: z.array(
    z.object({ name: z.string(), block: digest, total: count, next: count, pending: z.object({ next: count, layer: digest }).optional() }),
  ),
  finishedLines: count,
})

export function renderFarmJobs(jobs: FarmJobs): Uint8Array {
  return Buffer.from(JSON.stringify(jobs), 'utf8')
}

/** What was saved; damaged bytes count as nothing saved. */
export function parseFarmJobs(bytes: Uint8Array | undefined): FarmJobs {
  if (bytes === undefined) return { jobs: [], finishedLines: 0 }
  try {
    return schema.parse(JSON.parse(Buffer.from(bytes).toString('utf8'))) as unknown as FarmJobs
  } catch {
    return { jobs: [], finishedLines: 0 }
  }
}
