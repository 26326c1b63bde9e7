import { chmod, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { type FastifyInstance, type FastifyReply, fastify } from 'fastify'
import { z } from 'zod'
import { DaemonError } from '../daemon-error.ts'
import type { EventBus } from '../event-bus.ts'
import type { AskDocument, EpochDocument, FarmAccepted, InviteDocument, JoinDocument, StatusDocument } from './api.ts'

/** What the control API can ask of the daemon. */
export interface ControlTarget {
  status(): Promise<StatusDocument>
  epoch(epoch: bigint): EpochDocument
  ask(text: string, k: number): Promise<AskDocument>
  farm(name: string, lines: readonly string[]): Promise<FarmAccepted>
  mine(action: 'start' | 'pause'): void
  invite(): InviteDocument
  join(invite: string): Promise<JoinDocument>
  leave(): Promise<void>
  /** Begins to stop; the answer is sent before. */
  stop(): void
}

/** A text of this size is about 10 million characters. */
const MAX_BODY_BYTES = 48 * 2 ** 20
/** Events that a slow reader may fall behind before it is cut off. */
const MAX_EVENT_BACKLOG = 10_000

const askBody = z.strictObject({ text: z.string().min(1).max(100_000), k: z.int().min(1).max(1_000).default(12) })
const farmBody = z.strictObject({ name: z.string().min(1).max(200), lines: z.array(z.string().max(100_000)).min(1).max(5_000_000) })
const mineBody = z.strictObject({ action: z.enum(['start', 'pause']) })
const joinBody = z.strictObject({ invite: z.string().min(1).max(1_024) })
const epochQuery = z.object({ epoch: z.string().regex(/^(0x[0-9a-f]{1,16}|[0-9]{1,20})$/) })

export interface ControlServer {
  close(): Promise<void>
}

/** Serves the control API on a unix socket (0660). The data directory is locked, so a socket found there is a dead one. */
export async function openControlServer(socketPath: string, target: ControlTarget, events: EventBus): Promise<ControlServer> {
  const app = fastify({ bodyLimit: MAX_BODY_BYTES, forceCloseConnections: true })
  app.setErrorHandler((error, _request, reply) => sendError(reply, error))
  app.setNotFoundHandler((request, reply) => void reply.status(404).send({ error: { code: 'NOT_FOUND', message: `no such path: ${request.url}` } }))
  addRoutes(app, target, events)
  await rm(socketPath, { force: true })
  await app.listen({ path: socketPath })
  await chmod(socketPath, 0o660)
  return { close: () => app.close() }
}

function addRoutes(app: FastifyInstance, target: ControlTarget, events: EventBus): void {
  app.get('/v1/status', () => target.status())
  app.get('/v1/epochs', (request) => target.epoch(BigInt(epochQuery.parse(request.query).epoch)))
  app.get('/v1/invite', async () => target.invite())
  app.get('/v1/events', (_request, reply) => streamEvents(reply, events))
  app.post('/v1/ask', (request) => {
    const { text, k } = askBody.parse(request.body)
    return target.ask(text, k)
  })
  app.post('/v1/farm', (request) => {
    const { name, lines } = farmBody.parse(request.body)
    return target.farm(name, lines)
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
    return reply.status(error.code === 'FAILED' ? 500 : 409).send({ error: { code: error.code, message: error.message, hint: error.hint } })
  }
  if (error instanceof z.ZodError) return reply.status(400).send({ error: { code: 'BAD_REQUEST', message: z.prettifyError(error) } })
  const status = (error as { statusCode?: number }).statusCode ?? 500
  return reply.status(status).send({ error: { code: status < 500 ? 'BAD_REQUEST' : 'FAILED', message: (error as Error).message } })
}
