import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import type { LatticeCompute } from '@sgsd/compute'
import type { ItemStore } from '@sgsd/store'
import type { Config } from '../config.ts'
import type { DataDir } from '../data-dir.ts'
import { openHost } from '../hosts/open-host.ts'
import { FarmLoop, type FarmParts } from '../loops/farm.ts'
import { FolderWatch } from './folder-watch.ts'
import { HostLearner, NextLineLearner } from './learner.ts'
import { FarmLedger } from './ledger.ts'
import { SALT_BYTES, SegmentBlocks } from './segment-blocks.ts'

export interface FarmBase extends Omit<FarmParts, 'lattice' | 'learner' | 'ledger' | 'segments'> {
  readonly lattice: LatticeCompute
  readonly values: ItemStore
}

/** Opens ledger and host, and makes the loop that farms and, where a folder is configured, the one that watches it. The stack closes them. */
export async function openFarm(
  parts: FarmBase,
  { farm }: Pick<Config, 'farm'>,
  files: DataDir,
  stack: AsyncDisposableStack,
): Promise<{ readonly farming: FarmLoop; readonly folder: FolderWatch | undefined; readonly ledger: FarmLedger; readonly segments: SegmentBlocks }> {
  const { lattice, core, log, signal } = parts
  const ledger = new FarmLedger(files.farm)
  stack.defer(() => ledger.close())
  const host = await openHost(farm.host, {
    root: files.root,
    variables: process.env,
    values: parts.values,
    stdout: process.stdout,
    log,
    now: Date.now,
    random: Math.random,
  })
  if (host !== undefined) stack.use(host)
  const ownHead = (): string => core.state.heads.get(core.state.self)?.value.layer ?? ''
  const learner = host === undefined ? new NextLineLearner(lattice) : new HostLearner(lattice, host, ownHead)
  const segments = new SegmentBlocks(parts.blocks, salt(ledger))
  const farming = new FarmLoop({ ...parts, learner, ledger, segments }, farm)
  if (farm.dir === '') return { farming, folder: undefined, ledger, segments }
  const folder = new FolderWatch(resolve(files.root, farm.dir), {
    ledger,
    take: (options, source) => farming.take(options, source),
    log,
    signal,
    now: Date.now,
  })
  return { farming, folder, ledger, segments }
}

/** What this node's segments begin with: made once. */
function salt(ledger: FarmLedger): Uint8Array {
  const known = ledger.value('salt')
  if (known?.length === SALT_BYTES) return known
  const made = randomBytes(SALT_BYTES)
  ledger.setValue('salt', made)
  return made
}
