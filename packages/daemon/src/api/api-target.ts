import type { Logger } from 'pino'
import type { AskDocument } from '../control/api.ts'
import type { Core } from '../core.ts'
import { ApiError } from './api-error.ts'
import type { Embeddings } from './embeddings.ts'
import type { ApiTarget } from './server.ts'
import { readApiToken } from './token.ts'

/** Layers that `GET /v1/models` names, at most. */
const MAX_NAMED_LAYERS = 256

export interface ApiTargetParts {
  readonly tokenFile: string
  readonly embeddings: Embeddings
  readonly core: Core
  readonly log: Logger
  readonly ask: (text: string, k: number) => Promise<AskDocument>
  /** Id of the running consensus, '' before the first fold. */
  readonly consensus: () => string
}

/** The running daemon as the API sees it. */
export function apiTarget({ tokenFile, embeddings, core, log, ask, consensus }: ApiTargetParts): ApiTarget {
  return {
    async token() {
      return readApiToken(tokenFile).catch((error: unknown) => {
        log.error({ tokenFile, error: (error as Error).message }, 'the token of the API cannot be read')
        throw new ApiError(503, 'token_unreadable', 'the daemon cannot read its token; its log says why', null, { cause: error })
      })
    },
    embed: (model, texts, dimensions, signal) => embeddings.embed(model, texts, dimensions, signal),
    ask,
    models() {
      const ids = new Set([...core.state.heads.values()].slice(0, MAX_NAMED_LAYERS).map(({ value }) => value.layer as string))
      return [consensus(), ...ids].filter((id) => id !== '').map((id) => `sgs:${id}`)
    },
    failed: (error) => log.error({ error: error.message, stack: error.stack }, 'a request to the API failed'),
  }
}
