import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { DaemonError } from '../daemon-error.ts'
import type { LayerFiles } from './layer-files.ts'

const layerParams = z.strictObject({
  layer: z
    .string()
    .regex(/^(own|[0-9a-f]{4,64}|12D3Koo[1-9A-HJ-NP-Za-km-z]{45})$/)
    .transform((layer) => (layer === 'own' ? '' : layer)),
})
const rowsQuery = z.strictObject({
  name: z.string().min(1).max(4_096),
  mesh: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
  author: z.string().max(128).default(''),
})

/** Layers into and out of files: `GET /v1/heads`, `GET /v1/layers/:layer/bundle`, `POST /v1/layers/import`, `POST /v1/layers/rows`. */
export function addLayerFileRoutes(app: FastifyInstance, files: Pick<LayerFiles, 'heads' | 'pack' | 'take' | 'takeRows'>): void {
  app.addContentTypeParser('application/octet-stream', (_request, body, done) => done(null, body))
  app.get('/v1/heads', async () => files.heads())
  app.get('/v1/layers/:layer/bundle', async (request, reply) => {
    const parts = await files.pack(layerParams.parse(request.params).layer)
    return reply.type('application/octet-stream').send(Readable.from(parts, { objectMode: false }))
  })
  app.post('/v1/layers/import', (request) => files.take(streamOf(request.body)))
  app.post('/v1/layers/rows', (request) => {
    const { name, mesh, author } = rowsQuery.parse(request.query)
    return files.takeRows({ name, origin: mesh === undefined ? undefined : { mesh, author } }, streamOf(request.body))
  })
}

function streamOf(body: unknown): Readable {
  if (body instanceof Readable) return body
  throw new DaemonError('BAD_REQUEST', 'the file is the body, as application/octet-stream')
}
