import { chmod, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { MAX_GRACE_MS } from '@sgsd/store'
import { type FastifyInstance, type FastifyReply, fastify } from 'fastify'
import { z } from 'zod'
import type { AdmissionTarget } from '../admission/control.ts'
import { addAdmissionRoutes } from '../admission/routes.ts'
import { DaemonError } from '../daemon-error.ts'
import type { EventBus } from '../event-bus.ts'
import type { LayerFiles } from '../layer-files/layer-files.ts'
import { addLayerFileRoutes } from '../layer-files/routes.ts'
import type { RunRequest } from '../programs.ts'
import type { StoreLine } from '../store-care/documents.ts'
import type { StoreRequest } from '../store-care/job-lines.ts'
import type { TrustTarget } from '../trust/control.ts'
import { addTrustRoutes } from '../trust/routes.ts'
import type { AskDocument, EpochDocument, FarmAccepted, FarmDocument, JoinDocument, RunLine, SimilarDocument, StatusDocument } from './api.ts'

/** What the control API can ask of the daemon. */
export interface ControlTarget extends AdmissionTarget, TrustTarget {
  status(): Promise<StatusDocument>
  epoch(epoch: bigint): EpochDocument
  ask(text: string, k: number): Promise<AskDocument>
  similar(texts: readonly string[], model: string): Promise<SimilarDocument>
  /** @param body - UTF-8, as it comes */
  farm(text: { readonly name: string; readonly shared: boolean; readonly again: boolean }, body: AsyncIterable<Uint8Array>): Promise<FarmAccepted>
  farmStatus(turn: number | undefined): FarmDocument
  farmAction(action: 'pause' | 'resume'): void
  /** Runs a program while its lines are read. */
  run(request: RunRequest): Promise<AsyncIterable<RunLine>>
  /** Looks after the store while its lines are read. */
  store(request: StoreRequest): AsyncIterable<StoreLine>
  mine(action: 'start' | 'pause'): void
  join(invite: string): Promise<JoinDocument>
  leave(): Promise<void>
  /** Layers into and out of files. */
  readonly layerFiles: Pick<LayerFiles, 'heads' | 'pack' | 'take' | 'takeRows'>
  /** Begins to stop; the answer is sent before. */
  stop(): void
}

/** Bytes of a body of JSON. Texts to farm are streams of any length. */
const MAX_BODY_BYTES = 2 ** 20
/** A program of 1 MiB of YAML, with the quotes and commas of JSON. */
const MAX_RUN_BYTES = 4 * 2 ** 20
/** Events that a slow reader may fall behind before it is cut off. */
const MAX_EVENT_BACKLOG = 10_000

const askBody = z.strictObject({ text: z.string().min(1).max(100_000), k: z.int().min(1).max(1_000).default(12) })
const similarBody = z.strictObject({ texts: z.array(z.string().min(1).max(8_192)).min(2).max(64), model: z.string().max(80).default('sgs') })
const flag = z.enum(['0', '1']).default('0')
const farmQuery = z.strictObject({ name: z.string().min(1).max(4_096), shared: flag, again: flag })
const turnQuery = z.strictObject({ turn: z.coerce.number().int().min(0).optional() })
const actionBody = z.strictObject({ action: z.enum(['pause', 'resume']) })
const runBody = z.strictObject({
  program: z.unknown(),
  layer: z
    .string()
    .regex(/^[0-9a-f]{6,64}$/)
    .optional(),
})
const storeJob = z.strictObject({ job: z.enum(['du', 'gc', 'scrub']) })
const storeBody = z.strictObject({
  dryRun: z.boolean().optional(),
  graceMs: z.number().min(0).max(MAX_GRACE_MS).optional(),
  bytesPerSecond: z.number().min(0).optional(),
})
const mineBody = z.strictObject({ action: z.enum(['start', 'pause']) })
const joinBody = z.strictObject({ invite: z.string().min(1).max(1_024) })
const epochQuery = z.object({ epoch: z.string().regex(/^(0x[0-9a-f]{1,16}|[0-9]{1,20})$/) })

export interface ControlServer {
  close(): Promise<void>
}

/** Serves the control API on a unix socket (0660). @param more - routes of other parts. The data directory is locked, so a socket found there is a dead one. */
export async function openControlServer(
  socketPath: string,
  target: ControlTarget,
  events: EventBus,
  more: (app: FastifyInstance) => void = () => {},
): Promise<ControlServer> {
  const app = fastify({ bodyLimit: MAX_BODY_BYTES, forceCloseConnections: true })
  app.removeContentTypeParser('text/plain')
  app.addContentTypeParser('text/plain', (_request, body, done) => done(null, body))
  app.setErrorHandler((error, _request, reply) => sendError(reply, error))
  app.setNotFoundHandler((request, reply) => void reply.status(404).send({ error: { code: 'NOT_FOUND', message: `no such path: ${request.url}` } }))
  addRoutes(app, target, events)
  more(app)
  await rm(socketPath, { force: true })
  await app.listen({ path: socketPath })
  await chmod(socketPath, 0o660)
  return { close: () => app.close() }
}

function addRoutes(app: FastifyInstance, target: ControlTarget, events: EventBus): void {
  app.get('/v1/status', () => target.status())
  app.get('/v1/epochs', (request) => target.epoch(BigInt(epochQuery.parse(request.query).epoch)))
  addAdmissionRoutes(app, target)
  addTrustRoutes(app, target)
  app.get('/v1/events', (_request, reply) => streamEvents(reply, events))
  addLayerFileRoutes(app, target.layerFiles)
  app.post('/v1/ask', (request) => {
    const { text, k } = askBody.parse(request.body)
    return target.ask(text, k)
  })
  app.post('/v1/similar', (request) => {
    const { texts, model } = similarBody.parse(request.body)
    return target.similar(texts, model)
  })
  app.post('/v1/farm', (request) => {
    const { name, shared, again } = farmQuery.parse(request.query)
    if (!(request.body instanceof Readable)) throw new DaemonError('BAD_REQUEST', 'the text is the body, as text/plain')
    return target.farm({ name, shared: shared === '1', again: again === '1' }, request.body)
  })
  app.get('/v1/farm', async (request) => target.farmStatus(turnQuery.parse(request.query).turn))
  app.post('/v1/farm/action', async (request) => {
    target.farmAction(actionBody.parse(request.body).action)
    return { ok: true }
  })
  app.post('/v1/run', { bodyLimit: MAX_RUN_BYTES }, async (request, reply) => {
    const { program, layer } = runBody.parse(request.body)
    const lines = await target.run({ program, layer })
    return reply.type('application/x-ndjson').send(Readable.from(jsonLines(lines)))
  })
  app.post('/v1/store/:job', (request, reply) => {
    const { job } = storeJob.parse(request.params)
    const lines = target.store({ job, ...storeBody.parse(request.body ?? {}) })
    return reply.type('application/x-ndjson').send(Readable.from(jsonLines(lines)))
  })
  app.post('/v1/mine', async (request) => {
    target.mine(mineBody.parse(request.body).action)
    return { ok: true }
  })
  app.post('/v1/join', (request) => target.join(joinBody.parse(request.body).invite))
  app.post('/v1/leave', async () => {
    await target.leave()
    return { ok: true }
  })
  app.post('/v1/stop', async (_request, reply) => {
    await reply.send({ ok: true })
    target.stop()
  })
}

async function* jsonLines(values: AsyncIterable<unknown>): AsyncGenerator<string> {
  for await (const value of values) yield `${JSON.stringify(value)}\n`
}

function streamEvents(reply: FastifyReply, events: EventBus): FastifyReply {
  const stream = new Readable({ read() {} })
  const end = events.subscribe((event) => {
    if (stream.readableLength > MAX_EVENT_BACKLOG * 200) stream.destroy()
    else stream.push(`${JSON.stringify(event)}\n`)
  })
  stream.on('close', end)
  reply.raw.on('close', () => stream.destroy())
  // headers go out with the first bytes: an empty line says at once that the stream is open
  stream.push('\n')
  return reply.type('application/x-ndjson').send(stream)
}

function sendError(reply: FastifyReply, error: unknown): FastifyReply {
  if (error instanceof DaemonError) {
    return reply
      .status(error.code === 'FAILED' ? 500 : error.code === 'BAD_REQUEST' ? 400 : 409)
      .send({ error: { code: error.code, message: error.message, hint: error.hint } })
  }
  if (error instanceof z.ZodError) return reply.status(400).send({ error: { code: 'BAD_REQUEST', message: z.prettifyError(error) } })
  const status = (error as { statusCode?: number }).statusCode ?? 500
  return reply.status(status).send({ error: { code: status < 500 ? 'BAD_REQUEST' : 'FAILED', message: (error as Error).message } })
}
