import type { Logger } from 'pino'

/** Packages whose stray errors are known not to touch our state: a reset stream may throw where nobody can catch it. */
const TRANSPORT = /node_modules\/(\.pnpm\/)?(@?libp2p|@chainsafe\+|@libp2p\+|it-|main-event|uint8arraylist)/

/**
 * Errors that nobody caught: those of the transport are logged and the daemon goes on; after any other one it ends, so that a supervisor
 * starts it anew from disk.
 * @returns ends the watch
 */
export function watchUncaught(log: Logger, requestStop: (exitCode: number) => void): () => void {
  const caught = (error: unknown): void => {
    const { name, message, stack } = error instanceof Error ? error : new Error(String(error))
    if (name === 'StreamStateError' || TRANSPORT.test(stack ?? '')) {
      log.error({ name, error: message, stack }, 'the transport threw where nobody could catch it; going on')
      return
    }
    log.fatal({ name, error: message, stack }, 'an error that nobody caught; ending so that a supervisor starts anew')
    requestStop(1)
  }
  process.on('uncaughtException', caught)
  process.on('unhandledRejection', caught)
  return () => {
    process.off('uncaughtException', caught)
    process.off('unhandledRejection', caught)
  }
}
