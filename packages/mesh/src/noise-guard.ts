import { createHmac } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import type { ConnectionEncrypter, MessageStream, PeerId } from '@libp2p/interface'
import { noise, type NoiseComponents } from '@libp2p/noise'

/** What the guard sees of handshakes that meet this node's own identity. */
export interface HandshakeWatch {
  /** The other side proved to hold our own private key. */
  metSelf(direction: 'inbound' | 'outbound', remoteAddr: string): void
}

/** How long a connection to our own identity is left open, milliseconds. */
const SELF_LINGER_MS = 250

/** Words that a refused handshake's message starts with: libp2p's upgrader keeps the message and drops the error around it. */
export const HANDSHAKE_KEY_MISMATCH = 'sgs: another mesh key'
export const HANDSHAKE_PEER_MISMATCH = 'sgs: another peer'

/**
 * Noise with the mesh key bound into the handshake: HMAC-SHA256(mesh key, "sgs/prologue/1") is its prologue, so a peer without the
 * key cannot finish it and opens no stream. An open mesh has no prologue.
 */
export function guardedNoise(meshKey: Uint8Array | undefined, watch: HandshakeWatch): (components: NoiseComponents) => ConnectionEncrypter {
  const prologue = meshKey === undefined ? {} : { prologueBytes: createHmac('sha256', meshKey).update('sgs/prologue/1').digest() }
  return (components) => {
    const inner = noise(prologue)(components)
    const check = async (direction: 'inbound' | 'outbound', connection: MessageStream, remotePeer: PeerId): Promise<void> => {
      if (!remotePeer.equals(components.peerId)) return
      watch.metSelf(direction, addressOf(connection))
      // libp2p resets the connection next; the other end must first read the last handshake message to learn who called.
      if (direction === 'outbound') await setTimeout(SELF_LINGER_MS)
    }
    return {
      protocol: inner.protocol,
      async secureInbound(connection, options) {
        const secured = await inner.secureInbound(connection, options)
        await check('inbound', connection, secured.remotePeer)
        return secured
      },
      async secureOutbound(connection, options) {
        try {
          const secured = await inner.secureOutbound(connection, options)
          await check('outbound', connection, secured.remotePeer)
          return secured
        } catch (error) {
          throw namedHandshake(error, options?.signal)
        }
      },
    }
  }
}

/** What a handshake's error means. The dialler reads the first encrypted message: with another prologue its authentication tag does not fit. */
export function namedHandshake(error: unknown, signal: AbortSignal | undefined): unknown {
  if (!(error instanceof Error) || signal?.aborted === true) return error
  if (error.name === 'UnexpectedPeerError') return new Error(`${HANDSHAKE_PEER_MISMATCH}: ${error.message}`, { cause: error })
  if (/^handshake stage \d validation fail/.test(error.message)) {
    return new Error(`${HANDSHAKE_KEY_MISMATCH}: ${error.message}`, { cause: error })
  }
  return error
}

function addressOf(connection: MessageStream): string {
  return 'remoteAddr' in connection ? String(connection.remoteAddr) : 'unknown address'
}
