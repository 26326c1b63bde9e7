import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { History } from './history.ts'

/** A layer: the beginning of its id, `own`, or a member's peer id. */
const name = z.string().min(1).max(128)
/** A beginning of an id. */
const prefix = z.string().regex(/^[0-9a-f]{4,64}$/)
const listQuery = z.strictObject({ all: z.enum(['0', '1']).default('0') })
const logQuery = z.strictObject({ from: name.optional(), most: z.coerce.number().int().min(1).max(1_000).default(20) })
const showQuery = z.strictObject({ id: name })
const diffBody = z.strictObject({ a: name, b: name, top: z.int().min(0).max(1_000).default(10) })
const idBody = z.strictObject({ id: name })
const pinBody = z.strictObject({ id: name, pinned: z.boolean(), note: z.string().max(200).default('') })
const blameBody = z.strictObject({ row: z.string().min(1).max(16), column: z.string().min(1).max(16).optional() })
const cloneBody = z.strictObject({ from: z.string().min(1).max(1_024), layer: name.optional() })
const mergeBody = z.strictObject({ a: name, b: name, pairwise: z.boolean().default(false) })
const swapBody = z.strictObject({ to: name })
const at = z.string().regex(/^(\d{1,15}|epoch:\d{1,19})$/)
const foldsQuery = z.strictObject({ most: z.coerce.number().int().min(1).max(100_000).default(20) })
const foldQuery = z.strictObject({ id: prefix.optional(), at: at.optional() })

/** Routes of the commands `layer` and `consensus`. */
export function addHistoryRoutes(app: FastifyInstance, history: History): void {
  app.get('/v1/layers', (request) => history.list(listQuery.parse(request.query).all === '1'))
  app.get('/v1/layers/log', (request) => {
    const { from, most } = logQuery.parse(request.query)
    return history.log(from, most)
  })
  app.get('/v1/layers/show', (request) => history.show(showQuery.parse(request.query).id))
  app.post('/v1/layers/diff', (request) => {
    const { a, b, top } = diffBody.parse(request.body)
    return history.diff(a, b, top)
  })
  app.post('/v1/layers/verify', (request) => history.verify(idBody.parse(request.body).id))
  app.post('/v1/layers/pin', (request) => {
    const { id, pinned, note } = pinBody.parse(request.body)
    return history.pin(id, pinned, note)
  })
  app.post('/v1/layers/blame', (request) => {
    const { row, column } = blameBody.parse(request.body)
    return history.blame(row, column)
  })
  app.post('/v1/layers/clone', async (request, reply) => {
    const { from, layer } = cloneBody.parse(request.body)
    return reply.type('application/x-ndjson').send(Readable.from(jsonLines(await history.clone(from, layer))))
  })
  app.post('/v1/layers/fork', (request) => history.fork(idBody.parse(request.body).id))
  app.post('/v1/layers/merge', (request) => {
    const { a, b, pairwise } = mergeBody.parse(request.body)
    return history.merge(a, b, pairwise)
  })
  app.post('/v1/layers/swap', (request) => history.swap(swapBody.parse(request.body).to))
  app.get('/v1/consensus/log', async (request) => history.folds(foldsQuery.parse(request.query).most))
  app.get('/v1/consensus/show', (request) => {
    const { id, at: place } = foldQuery.parse(request.query)
    return history.fold(id, place)
  })
  app.post('/v1/consensus/verify', async (request, reply) => {
    const { id, at: place } = foldQuery.parse(request.body)
    return reply.type('application/x-ndjson').send(Readable.from(jsonLines(history.refold(id, place))))
  })
}

async function* jsonLines(values: AsyncIterable<unknown>): AsyncGenerator<string> {
  for await (const value of values) yield `${JSON.stringify(value)}\n`
}
