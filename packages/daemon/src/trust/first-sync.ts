import { rm, stat } from 'node:fs/promises'
import { writeFileDurably } from '@sgsd/store'
import type { DaemonParts } from '../parts.ts'
import type { DataDir } from '../data-dir.ts'
import { monotonicNow } from '../core.ts'
import { pause } from '../pause.ts'

/** A node that knows of no member and reaches nobody for this long goes on alone, milliseconds: all paths of discovery have answered twice by then. */
const ALONE_MS = 30_000
const LOOK_MS = 250

/** Says, beside a new key, that nothing was ever signed with it. */
export function markUnused({ unused }: DataDir): Promise<void> {
  return writeFileDurably(unused, new Uint8Array())
}

/**
 * Waits until this node knows what it has signed before. An honest node that lost its disk would otherwise sign a second record, head or claim with a number
 * that it has used: two items where one may be, which is what cheats are excluded for. So a key that is not new, and of which nothing stands on
 * disk, signs nothing until one exchange with a member is over; what others keep of it is then here again.
 * @param synced - resolves when the first exchange with any peer is over
 */
export async function ownPastKnown(
  { core, mesh, files, log, events }: Pick<DaemonParts, 'core' | 'mesh' | 'files' | 'log' | 'events'>,
  synced: Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const { self } = core.state
  const isNew = await stat(files.unused).then(
    () => true,
    () => false,
  )
  await rm(files.unused, { force: true })
  if (isNew || core.state.roster.has(self)) return
  log.warn('nothing that this node signed is on its disk: it waits for one exchange with a member before it takes part')
  events.emit({ event: 'warning', message: 'nothing that this node signed is on its disk; it takes part after one exchange with a member' })
  let isSynced = false
  const noteSync = async (): Promise<void> => {
    await synced
    isSynced = true
  }
  void noteSync()
  let aloneSince = monotonicNow()
  while (!isSynced && !signal.aborted) {
    const now = monotonicNow()
    if (mesh.links().length > 0 || core.state.roster.size > 0) aloneSince = now
    if (now - aloneSince > ALONE_MS) return log.warn('nobody can be reached: this node goes on alone')
    await pause(LOOK_MS, signal)
  }
  if (isSynced) log.info({ record: String(core.state.roster.get(self)?.value.seq ?? 0n) }, 'what this node signed before is known again')
}
