import { createHash } from 'node:crypto'
import type { PeerName, Signed } from '@sgsd/consensus'
import { bundleFault, type LayerBundle, namedParts, splitLayerBundle } from '@sgsd/interop'
import { encodeManifest, openItem, parseEvidenceBlock, parseLineage, parseRowBlock, parseStateBlock } from '@sgsd/wire'
import { monotonicNow } from '../core.ts'
import { DaemonError } from '../daemon-error.ts'
import type { DaemonParts } from '../parts.ts'
import { pause } from '../pause.ts'
import type { LayerTaken } from './documents.ts'
import { vouches } from './voucher.ts'

/** How long a layer's check is waited for before the answer says that it goes on. */
const CHECK_PATIENCE_MS = 20_000
/** Between two looks whether it is done. */
const LOOK_MS = 25

type Parts = Pick<DaemonParts, 'core' | 'credentials' | 'store'>

/**
 * Takes a portable layer in as if a peer had sent it: hashes and signatures first, then its blocks on disk, then the head into the state, which has the
 * lattice check its rows.
 * @throws DaemonError IMPORT_REFUSED with the reason
 */
export async function takeLayer(parts: Parts, bytes: Uint8Array, signal: AbortSignal): Promise<LayerTaken> {
  const { core, store } = parts
  const bundle = await checkedBundle(parts, bytes)
  const { layer, manifest } = bundle
  const answer = (result: LayerTaken['result']): LayerTaken => ({
    schema: 'sgsd.layer-import/1',
    layer,
    author: manifest.author,
    seq: String(manifest.seq),
    result,
  })
  if (bundle.head.length === 0) {
    await storeBundle(store, bundle)
    return answer('kept')
  }
  const { head, record } = openSigned(parts, bundle)
  const known = core.state.heads.get(manifest.author)
  if (known !== undefined && known.value.seq > head.value.seq) return answer('older')
  if (core.state.ready.get(manifest.author)?.id === head.id) return answer('known')
  if (manifest.author === core.state.self && known?.id !== head.id)
    throw refused('it is a layer of this node itself that this node does not know: start it anew from a backup of its data directory')
  using _kept = store.blocks.lease([layer, ...namedParts(bundle).map(([id]) => id)])
  await storeBundle(store, bundle)
  core.handle({ type: 'items-received', items: [record, head], now: monotonicNow(), source: 'peer' })
  return answer(await outcome(parts, head, signal))
}

/** A bundle whose parts are what its manifest names, and readable. */
async function checkedBundle({ core }: Parts, bytes: Uint8Array): Promise<LayerBundle> {
  const split = splitLayerBundle(bytes)
  if (split.type !== 'accept') throw refused(split.reason)
  const bundle = split.value
  const { manifest } = bundle
  if (manifest.mesh !== core.meshId) throw refused(`it belongs to mesh ${manifest.mesh.slice(0, 12)}, this node to ${core.meshId.slice(0, 12)}`)
  if (manifest.kernel !== core.state.genesis.latticeKernel) throw refused('it stands on another hanzi table')
  for (const [id, part] of namedParts(bundle)) {
    if (createHash('sha256').update(part).digest('hex') !== id) throw refused(bundleFault(bundle) ?? 'a part is not what the manifest names')
    // other requests in between: a large layer takes a while
    await new Promise(setImmediate)
  }
  const parseBlock = manifest.params.rule === 'evidence' ? parseEvidenceBlock : parseRowBlock
  for (const verdict of [parseLineage(bundle.lineage), parseStateBlock(bundle.state)]) if (verdict.type !== 'accept') throw refused(verdict.reason)
  for (const block of bundle.blocks) {
    const verdict = parseBlock(block)
    if (verdict.type !== 'accept') throw refused(verdict.reason)
    await new Promise(setImmediate)
  }
  return bundle
}

/** The signed head and record of a bundle, whose author this mesh admits. */
function openSigned(
  { core, credentials }: Parts,
  { layer, manifest, head, record, voucher }: LayerBundle,
): { head: Signed<'head'>; record: Signed<'record'> } {
  const opened = openItem(head, core.verifyContext)
  if (opened.type !== 'accept') throw refused(`head: ${opened.reason}`)
  const announced = opened.value
  if (announced.kind !== 'head' || announced.value.layer !== layer) throw refused('its head announces another layer')
  if (announced.value.author !== manifest.author || announced.value.seq !== manifest.seq) throw refused('its head and its manifest differ')
  const self = openItem(record, core.verifyContext)
  if (self.type !== 'accept') throw refused(`record: ${self.reason}`)
  if (self.value.kind !== 'record' || self.value.value.author !== manifest.author) throw refused('its record is of another member')
  if (!isAdmitted(manifest.author, voucher))
    throw refused('its author is no member of this mesh, and nobody who knows the key of the mesh vouches for it')
  return { head: announced, record: self.value }

  function isAdmitted(author: PeerName, voucher: Uint8Array): boolean {
    const { meshKey } = credentials
    return core.state.roster.has(author) || meshKey === undefined || vouches(voucher, meshKey, head, record)
  }
}

/** The manifest last: what it names is there then. */
async function storeBundle({ blocks }: Parts['store'], bundle: LayerBundle): Promise<void> {
  await blocks.putMany([...namedParts(bundle).map(([, bytes]) => bytes)])
  await blocks.put(encodeManifest(bundle.manifest))
}

async function outcome({ core }: Parts, head: Signed<'head'>, signal: AbortSignal): Promise<LayerTaken['result']> {
  const { author } = head.value
  const until = monotonicNow() + CHECK_PATIENCE_MS
  while (monotonicNow() < until && !signal.aborted) {
    const { heads, ready, refused: refusals } = core.state
    if (ready.get(author)?.id === head.id) return 'ready'
    const refusal = refusals.get(author)
    if (refusal?.head.id === head.id) throw refused(refusal.reason)
    if (heads.get(author)?.id !== head.id) return 'older'
    await pause(LOOK_MS, signal)
  }
  return 'waiting'
}

function refused(reason: string): DaemonError {
  return new DaemonError('IMPORT_REFUSED', `the layer is refused: ${reason}`)
}
