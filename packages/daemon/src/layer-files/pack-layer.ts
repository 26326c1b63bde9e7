import type { BlockId, LayerId, PeerName, Signed } from '@sgsd/consensus'
import { bundlePart, bundleStart } from '@sgsd/interop'
import { parseManifest } from '@sgsd/wire'
import type { DaemonParts } from '../parts.ts'
import { DaemonError } from '../daemon-error.ts'
import { BlockUnavailable } from '../block-fetcher.ts'
import { voucherOf } from './voucher.ts'

const NOTHING = new Uint8Array(0)

/** A layer as a portable one, part by part; what is not here is fetched from peers. @throws DaemonError LAYER_UNKNOWN | LAYER_INCOMPLETE before the first part */
export async function packLayer(
  { core, credentials, fetcher }: Pick<DaemonParts, 'core' | 'credentials' | 'fetcher'>,
  layer: LayerId,
): Promise<AsyncGenerator<Uint8Array>> {
  const { self, heads, roster } = core.state
  const head = [...heads.values()].find(({ value }) => value.layer === layer)
  const manifest = await blockOf(layer, head?.value.author ?? self)
  const parsed = parseManifest(manifest)
  if (parsed.type !== 'accept') throw new DaemonError('LAYER_UNKNOWN', `${layer.slice(0, 12)} is no layer: ${parsed.reason}`)
  const { author, lineage, state, blocks } = parsed.value
  const ids = [lineage, state, ...blocks.map(({ block }) => block)]
  // all of it is here before the first byte leaves: a body that breaks off says nothing
  for (const id of ids) await blockOf(id, author)
  return parts()

  async function* parts(): AsyncGenerator<Uint8Array> {
    yield bundleStart({ ...signed(head, head && roster.get(author)), manifest }, blocks.length)
    for (const id of ids) yield bundlePart(await blockOf(id, author))
  }

  function signed(
    head: Signed<'head'> | undefined,
    record: Signed<'record'> | undefined,
  ): { head: Uint8Array; record: Uint8Array; voucher: Uint8Array } {
    if (head === undefined || record === undefined) return { head: NOTHING, record: NOTHING, voucher: NOTHING }
    const { meshKey } = credentials
    return { head: head.bytes, record: record.bytes, voucher: meshKey === undefined ? NOTHING : voucherOf(meshKey, head.bytes, record.bytes) }
  }

  async function blockOf(id: BlockId, from: PeerName): Promise<Uint8Array> {
    try {
      return await fetcher.get(id, from)
    } catch (error) {
      if (!(error instanceof BlockUnavailable)) throw error
      const what = id === layer ? 'is not here, and no connected peer has it' : 'is not here whole, and no connected peer has the rest'
      throw new DaemonError(id === layer ? 'LAYER_UNKNOWN' : 'LAYER_INCOMPLETE', `layer ${layer.slice(0, 12)} ${what}`, 'sgsd status', {
        cause: error,
      })
    }
  }
}
