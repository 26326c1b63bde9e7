import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { TrustTarget } from './control.ts'

const peerQuery = z.strictObject({ peer: z.string().max(64) })
const proofPath = z.strictObject({ id: z.string().regex(/^[0-9a-f]{1,64}$/) })

export function addTrustRoutes(app: FastifyInstance, target: TrustTarget): void {
  app.get('/v1/trust', async (request) => target.peerTrust(peerQuery.parse(request.query).peer))
  app.get('/v1/proofs', async () => target.proofs())
  app.get('/v1/proofs/:id', async (request) => target.proofFile(proofPath.parse(request.params).id))
}
