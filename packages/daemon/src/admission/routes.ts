import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { AdmissionTarget } from './control.ts'

const makeBody = z.strictObject({ ttlMs: z.number().optional(), uses: z.number().optional() })
const decideBody = z.strictObject({
  peer: z.string().min(1).max(128),
  action: z.enum(['revoke', 'readmit']),
  reason: z
    .string()
    .regex(/^[ -~]{0,200}$/, 'a reason is at most 200 characters of plain ASCII')
    .default(''),
})
const numberBody = z.strictObject({ number: z.int().min(1) })

export function addAdmissionRoutes(app: FastifyInstance, target: AdmissionTarget): void {
  app.get('/v1/invite', async () => target.invite())
  app.get('/v1/invites', async () => target.invites())
  app.post('/v1/invites', async (request) => target.makeInvite(makeBody.parse(request.body)))
  app.post('/v1/peers/decide', async (request) => target.decide(decideBody.parse(request.body)))
  app.post('/v1/invites/revoke', async (request) => target.revokeInvite(numberBody.parse(request.body).number))
}
