import { mkdir, rm } from 'node:fs/promises'
import { LevelDatastore } from 'datastore-level'
import { MeshError, reasonOf } from './mesh-error.ts'
import type { MeshLog } from './mesh-options.ts'

/**
 * Opens libp2p's peer store in a directory; libp2p neither opens nor closes it. Nothing in it is precious, so a damaged one is
 * made anew. @throws MeshError PEER_STORE_FAILED when it is in use by another process or cannot be written
 */
export async function openPeerStore(directory: string, log: MeshLog): Promise<LevelDatastore> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    return await open(directory)
  } catch (first) {
    if (!causes(first).some((cause) => 'code' in cause && cause.code === 'LEVEL_CORRUPTION')) throw refused(directory, first)
    log('warn', { directory, reason: reasonOf(first) }, 'peer store is damaged; making it anew')
  }
  try {
    await rm(directory, { recursive: true, force: true })
    await mkdir(directory, { recursive: true, mode: 0o700 })
    return await open(directory)
  } catch (cause) {
    throw refused(directory, cause)
  }
}

async function open(directory: string): Promise<LevelDatastore> {
  const store = new LevelDatastore(directory)
  // The database first, by itself: the datastore's own `open` hides the cause of a failure.
  await store.db.open()
  await store.open()
  return store
}

function refused(directory: string, cause: unknown): MeshError {
  const chain = causes(cause)
  return new MeshError('PEER_STORE_FAILED', { directory, detail: chain.at(-1)?.message ?? reasonOf(cause) }, { cause })
}

function causes(error: unknown): Error[] {
  const chain: Error[] = []
  for (let at = error; at instanceof Error && chain.length < 8; at = at.cause) chain.push(at)
  return chain
}
