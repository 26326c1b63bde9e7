import { type BlockId, type LayerId, type LayerManifest, type PeerName, checkRule } from '@sgsd/consensus'
import type { Mesh } from '@sgsd/mesh'
import type { BlockStore } from '@sgsd/store'
import { parseInvite, parseManifest } from '@sgsd/wire'
import { type BlockFetcher, BlockUnavailable } from '../block-fetcher.ts'
import type { Core } from '../core.ts'
import { DaemonError } from '../daemon-error.ts'
import { joinError, JOIN_TIMEOUT_MS } from '../membership.ts'
import { pause } from '../pause.ts'
import { blocksOf } from './layer-shelf.ts'
import { nameOf } from './rows.ts'

/** Blocks on the way at once; the fetcher bounds them too. */
const CONCURRENT = 4
/** How long a member that was just dialled may take to tell its head. */
const HEAD_PATIENCE_MS = 10_000
/** Parents of merges that are followed to learn whose layers they stand for. */
const MAX_FOLLOWED = 256

export interface CloneParts {
  readonly core: Core
  readonly mesh: Pick<Mesh, 'dial' | 'links'>
  readonly blocks: Pick<BlockStore, 'has' | 'lease'>
  readonly fetcher: Pick<BlockFetcher, 'get'>
  readonly keep: (layer: LayerId, author: PeerName, note: string) => void
}

export interface Cloned {
  readonly layer: LayerId
  readonly peer: PeerName
  readonly manifest: LayerManifest
  readonly blocks: number
  readonly had: number
}

export type CloneStep =
  | { readonly event: 'started'; readonly layer: LayerId; readonly peer: PeerName }
  | { readonly event: 'progress'; readonly done: number; readonly total: number }
  | { readonly event: 'cloned'; readonly cloned: Cloned }

/** The member that a name, a peer id or a multiaddr stands for; a multiaddr is dialled. @throws DaemonError */
export async function findMember({ core, mesh }: Pick<CloneParts, 'core' | 'mesh'>, name: string, signal: AbortSignal): Promise<PeerName> {
  if (name.startsWith('/')) {
    const parsed = parseInvite(name)
    if (parsed.type !== 'accept') throw new DaemonError('INVITE_INVALID', parsed.reason, 'sgsd peer ls names the members')
    const { address } = parsed.value
    return mesh.dial(address, AbortSignal.any([signal, AbortSignal.timeout(JOIN_TIMEOUT_MS)])).catch((error: unknown) => {
      throw joinError(error, address)
    })
  }
  const { roster } = core.state
  const named = [...roster.keys()].filter((peer) => peer === name || nameOf(core, peer) === name)
  const found = named.length > 0 ? named : [...roster.keys()].filter((peer) => peer.startsWith(name) || peer.endsWith(name))
  if (found.length === 1) return found[0]!
  if (found.length === 0) throw new DaemonError('PEER_UNKNOWN', `no member is called ${name}`, 'sgsd peer ls')
  throw new DaemonError('PEER_AMBIGUOUS', `${name} may be ${found.slice(0, 4).join(' or ')}`, 'give more of its peer id')
}

/**
 * Fetches a layer whole, from the member first and then from whoever has it. What has come is on disk at once, and half a block too: after a kill the same command
 * goes on where it broke off.
 * @param wanted - undefined: the member's head
 */
export async function* cloneLayer(parts: CloneParts, peer: PeerName, wanted: LayerId | undefined, signal: AbortSignal): AsyncGenerator<CloneStep> {
  const { core, blocks } = parts
  const layer = wanted ?? (await headOf(core, peer, signal))
  yield { event: 'started', layer, peer }
  const here = blocks.has(layer)
  using _manifest = blocks.lease([layer])
  const manifest = await getManifest(parts, layer, peer)
  const { author } = manifest
  const wrong = manifest.mesh === core.meshId ? checkRule(core.state.genesis.foldId, manifest) : 'it belongs to another mesh'
  if (wrong !== undefined) throw new DaemonError('LAYER_REFUSED', `layer ${layer.slice(0, 16)}… cannot be used here: ${wrong}`, '')
  const ids = blocksOf(layer, manifest)
  using _blocks = blocks.lease(ids)
  parts.keep(layer, author, `clone of ${nameOf(core, author)}`)
  const had = ids.filter((id) => id !== layer && blocks.has(id)).length + (here ? 1 : 0)
  let done = had
  const left = ids.filter((id) => id !== layer && !blocks.has(id))
  done += here ? 0 : 1
  yield { event: 'progress', done, total: ids.length }
  for (let at = 0; at < left.length; at += CONCURRENT) {
    signal.throwIfAborted()
    const group = left.slice(at, at + CONCURRENT)
    await Promise.all(group.map((id) => getBlock(parts, id, peer)))
    done += group.length
    yield { event: 'progress', done, total: ids.length }
  }
  await followMerges(parts, manifest, peer)
  yield { event: 'cloned', cloned: { layer, peer, manifest, blocks: ids.length, had } }
}

async function headOf(core: Core, peer: PeerName, signal: AbortSignal): Promise<LayerId> {
  const giveUpAt = performance.now() + HEAD_PATIENCE_MS
  for (;;) {
    const head = core.state.heads.get(peer)?.value.layer
    if (head !== undefined) return head
    if (performance.now() > giveUpAt || signal.aborted) {
      throw new DaemonError('LAYER_UNKNOWN', `${nameOf(core, peer)} has announced no layer`, 'it makes one by farming: sgsd farm <file> there')
    }
    await pause(200, signal)
  }
}

/** Manifests of a merge's parents, until every one of them is a layer that somebody learned: only with them can be told whose layers it stands for. */
async function followMerges(parts: CloneParts, manifest: LayerManifest, peer: PeerName): Promise<void> {
  const queue = manifest.parents.length > 1 ? [...manifest.parents] : []
  for (let at = 0; at < queue.length && at < MAX_FOLLOWED; at++) {
    const parent = await getManifest(parts, queue[at]!, peer).catch((error: unknown) => {
      // it answers without them; only merging it again needs them
      if (error instanceof DaemonError) return undefined
      throw error
    })
    if (parent !== undefined && parent.parents.length > 1) queue.push(...parent.parents)
  }
}

async function getManifest(parts: CloneParts, layer: LayerId, peer: PeerName): Promise<LayerManifest> {
  const verdict = parseManifest(await getBlock(parts, layer, peer))
  if (verdict.type !== 'accept') throw new DaemonError('LAYER_REFUSED', `${layer.slice(0, 16)}… is no layer: ${verdict.reason}`, '')
  return verdict.value
}

function getBlock({ fetcher, core, mesh }: CloneParts, id: BlockId, peer: PeerName): Promise<Uint8Array> {
  return fetcher.get(id, peer).catch((error: unknown) => {
    if (!(error instanceof BlockUnavailable)) throw error
    const linked = mesh.links().some((link) => link.peer === peer)
    const why = linked ? 'no connected member has it' : `${nameOf(core, peer)} is not connected, and no other member has it`
    throw new DaemonError(
      'BLOCK_UNAVAILABLE',
      `block ${id.slice(0, 16)}… cannot be had now: ${why}`,
      'the same command goes on where this one ended',
      {
        cause: error,
      },
    )
  })
}
