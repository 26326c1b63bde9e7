import type { MeshId } from '@sgsd/consensus'
import type { TailscaleOptions } from './discovery/tailscale.ts'
import type { Identity } from './identity.ts'
import type { InviteDesk } from './invite-door.ts'
import type { MeshHandlers } from './port.ts'

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error'

/** Constant text plus fields; must not throw. */
export type MeshLog = (level: LogLevel, fields: Readonly<Record<string, unknown>>, text: string) => void

export interface MeshOptions {
  readonly identity: Identity
  readonly meshId: MeshId
  /** 32 random bytes; absent in an open mesh. */
  readonly meshKey?: Uint8Array | undefined
  /** Multiaddrs such as `/ip4/0.0.0.0/tcp/42069`; port 0 takes a free one. */
  readonly listen: readonly string[]
  /** Multiaddrs of peers to begin with, with or without `/p2p/<peer id>`. */
  readonly bootstrap: readonly string[]
  readonly mdns: boolean
  readonly tailscale: false | TailscaleOptions
  readonly handlers: MeshHandlers
  /** Where holders of one-time invites are answered; absent: nowhere. */
  readonly invites?: InviteDesk | undefined
  /** Directory of the peer store, created when missing; in memory when absent. A damaged one is made anew: it only caches. */
  readonly directory?: string | undefined
  readonly log?: MeshLog | undefined
}

/** First 8 hex digits of the mesh id: enough to tell the meshes of one network apart. */
export function meshId8(meshId: MeshId): string {
  return meshId.slice(0, 8)
}
