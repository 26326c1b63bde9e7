import { MAX_TOKEN_UNITS } from '@sgsd/hllset'

/** The same text without the larger one that it was cut out of: V8's slices keep that in memory. A longest token is most of its piece, and stays as it is. */
export function detached(token: string): string {
  return token.length < MAX_TOKEN_UNITS ? Buffer.from(token, 'utf16le').toString('utf16le') : token
}
