import { Readable } from 'node:stream'
import type { LatticeCompute } from '@sgsd/compute'
import type { Signed } from '@sgsd/consensus'
import { parseManifest } from '@sgsd/wire'
import { type BlockFetcher, BlockUnavailable } from '../block-fetcher.ts'
import { monotonicNow } from '../core.ts'
import { readDefaultCorpus } from '../default-corpus.ts'
import { fetchContent } from '../loops/content.ts'
import type { FarmLoop } from '../loops/farm.ts'
import type { DaemonParts } from '../parts.ts'
import { pause } from '../pause.ts'

/** How long the own layer is looked for among peers when the disk has lost it. */
const RESTORE_PATIENCE_MS = 60_000
/** Pause before asking again for what nobody had. */
const RETRY_MS = 2_000

/** Learned rows come back from the own head before anything new is learned. */
export async function restoreThenFarm(parts: DaemonParts, fetcher: BlockFetcher, signal: AbortSignal): Promise<void> {
  const { core, lattice, log, farming, config } = parts
  const own = core.state.heads.get(core.state.self)
  const giveUpAt = monotonicNow() + RESTORE_PATIENCE_MS
  while (own !== undefined && !signal.aborted) {
    try {
      await restoreOwn(own, fetcher, lattice, farming)
      break
    } catch (error) {
      if (!(error instanceof BlockUnavailable) || monotonicNow() > giveUpAt) {
        log.error({ layer: own.value.layer, error: (error as Error).message }, 'own layer cannot be restored; learning starts from the consensus')
        farming.startOver()
        break
      }
      await pause(RETRY_MS, signal)
    }
  }
  if (signal.aborted) return
  if (config.farm.auto && farming.untouched) {
    const { name, bytes } = await readDefaultCorpus()
    await farming.take({ name, shared: true }, Readable.from([bytes]))
  }
  await farming.run()
}

async function restoreOwn(own: Signed<'head'>, fetcher: BlockFetcher, lattice: LatticeCompute, farming: FarmLoop): Promise<void> {
  const { author, layer } = own.value
  const manifest = parseManifest(await fetcher.get(layer, author))
  if (manifest.type !== 'accept') throw new Error(`own manifest is damaged: ${manifest.reason}`)
  const { lines, mean } = manifest.value.scores
  await lattice.restore(await fetchContent(fetcher, author, layer, manifest.value), Number(lines), mean)
  farming.restored(mean)
}
