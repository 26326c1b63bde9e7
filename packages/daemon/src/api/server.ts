import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { type FastifyInstance, type FastifyReply, fastify } from 'fastify'
import { z } from 'zod'
import type { AskDocument } from '../control/api.ts'
import { DaemonError } from '../daemon-error.ts'
import { ApiError } from './api-error.ts'
import { MAX_TEXT_CHARACTERS, parseEmbeddingRequest } from './embedding-request.ts'
import { embeddingPieces } from './embedding-response.ts'
import type { Embedded } from './embeddings.ts'
import { checkBrowser, checkToken } from './guard.ts'
import { type ListenAddress, urlOf } from './listen-address.ts'

/** What the API can ask of the daemon. */
export interface ApiTarget {
  /** The token that requests must bear now. */
  token(): Promise<string>
  embed(model: string, texts: readonly string[], dimensions: number, signal: AbortSignal): Promise<Embedded>
  ask(text: string, k: number): Promise<AskDocument>
  /** Names that `embed` knows besides `sgs`: `sgs:<id>` of the running consensus and of the newest layers. */
  models(): readonly string[]
  /** Tells of what is nobody's mistake but the daemon's. */
  failed(error: Error): void
}

/** POST /v1/step */
export interface StepDocument extends Omit<AskDocument, 'schema'> {
  readonly schema: 'sgsd.step/1'
}

export interface ApiServer extends AsyncDisposable {
  /** `http://127.0.0.1:42070` */
  readonly url: string
}

/** Bytes of a body: 2,048 texts of some 2,000 characters. */
const MAX_BODY_BYTES = 16 * 2 ** 20
/** Requests answered at the same time; vectors of one take 16 MB at most. */
const MAX_REQUESTS = 8
/** A request must have come in whole within this time, ms. */
const RECEIVE_MS = 30_000
/** An answer must have begun within this time, ms: the lattice may be farming, and a consensus that has just changed takes seconds to prepare. */
const ANSWER_MS = 60_000
const KEEP_ALIVE_MS = 30_000

const stepBody = z.strictObject({
  text: z
    .string()
    .min(1)
    .max(2 * MAX_TEXT_CHARACTERS),
  k: z.int().min(1).max(1_000).default(12),
})

/** Serves the OpenAI-compatible API. @throws Error EADDRINUSE, EADDRNOTAVAIL, EACCES … */
export async function openApiServer(address: ListenAddress, target: ApiTarget): Promise<ApiServer> {
  const app = fastify({
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: RECEIVE_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
  })
  app.setErrorHandler((error, _request, reply) => sendError(reply, error, target))
  app.setNotFoundHandler((request, reply) =>
    sendError(reply, new ApiError(404, 'unknown_url', `no such path: ${request.method} ${request.url.slice(0, 128)}`), target),
  )
  addGuards(app, target)
  addRoutes(app, target)
  await app.listen({ host: address.host, port: address.port })
  const { port } = app.server.address() as AddressInfo
  return { url: urlOf({ host: address.host, port }), [Symbol.asyncDispose]: () => app.close() }
}

/** Who may ask, and how many at once; before anything of the body is read. */
function addGuards(app: FastifyInstance, target: ApiTarget): void {
  let open = 0
  app.addHook('onRequest', async (request, reply) => {
    checkBrowser(request.headers)
    checkToken(request.headers, await target.token())
    if (open >= MAX_REQUESTS) {
      void reply.header('retry-after', '1')
      throw new ApiError(429, 'rate_limit_exceeded', `${MAX_REQUESTS} requests are under way; try again when one of them is done`)
    }
    open++
    reply.raw.once('close', () => open--)
  })
}

function addRoutes(app: FastifyInstance, target: ApiTarget): void {
  const startedAt = Math.floor(Date.now() / 1_000)
  const model = (id: string): object => ({ id, object: 'model', created: startedAt, owned_by: 'sgsd' })
  const names = (): readonly string[] => ['sgs', ...target.models()]
  app.get('/v1/models', async () => ({ object: 'list', data: names().map(model) }))
  app.get<{ Params: { id: string } }>('/v1/models/:id', async ({ params }) => {
    if (names().includes(params.id)) return model(params.id)
    throw new ApiError(404, 'model_not_found', `the model ${JSON.stringify(params.id.slice(0, 80))} does not exist here`, 'model')
  })
  app.post('/v1/embeddings', async (request, reply) => {
    const wanted = parseEmbeddingRequest(request.body)
    const { model: name, vectors } = await target.embed(wanted.model, wanted.texts, wanted.dimensions, deadlineOf(reply))
    return reply.type('application/json').send(Readable.from(embeddingPieces(wanted, name, vectors)))
  })
  app.post('/v1/step', async (request): Promise<StepDocument> => {
    const { text, k } = stepBody.parse(request.body)
    return { ...(await target.ask(text, k)), schema: 'sgsd.step/1' }
  })
}

/** Aborts when the client has gone or the answer takes too long. */
function deadlineOf(reply: FastifyReply): AbortSignal {
  const gone = new AbortController()
  reply.raw.once('close', () => gone.abort())
  return AbortSignal.any([gone.signal, AbortSignal.timeout(ANSWER_MS)])
}

function sendError(reply: FastifyReply, error: unknown, target: ApiTarget): FastifyReply {
  const { status, body } = apiErrorOf(error, target)
  if (status === 401) void reply.header('www-authenticate', 'Bearer')
  return reply.status(status).send(body)
}

function apiErrorOf(error: unknown, target: ApiTarget): ApiError {
  if (error instanceof ApiError) return error
  if (error instanceof DaemonError && error.code === 'TEXT_UNKNOWN')
    return new ApiError(400, 'no_known_characters', error.message, 'text', { cause: error })
  if (error instanceof z.ZodError) {
    const issue = error.issues[0]
    return new ApiError(400, 'invalid_value', issue?.message ?? 'the body is not as it should be', issue?.path.join('.') ?? null, { cause: error })
  }
  const { name, message, statusCode } = error as Error & { readonly statusCode?: number }
  if (name === 'TimeoutError' || name === 'AbortError') {
    return new ApiError(503, 'overloaded', `no answer within ${ANSWER_MS / 1_000} s: the lattice is busy`, null, { cause: error })
  }
  if (statusCode === 413)
    return new ApiError(413, 'request_too_large', `the body is larger than ${MAX_BODY_BYTES / 2 ** 20} MiB`, null, { cause: error })
  if (statusCode !== undefined && statusCode < 500) return new ApiError(statusCode, 'invalid_request', message, null, { cause: error })
  target.failed(error as Error)
  return new ApiError(500, 'internal_error', 'the daemon could not answer; its log says why', null, { cause: error })
}
