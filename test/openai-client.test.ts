import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SimilarDocument, StatusDocument } from '../packages/daemon/src/control/api.ts'
import { killAll, sgsd, sgsdJson, statusWhen, up } from './sgsd.ts'

const PATIENCE_MS = 120_000
const LINES = ['天地玄黃', '宇宙洪荒', '日月盈昃', '辰宿列張', '寒來暑往', '秋收冬藏']

let root: string
let dir: string
let status: StatusDocument
let client: OpenAI
const clientWith = (apiKey: string): OpenAI => new OpenAI({ apiKey, baseURL: `${status.api.url}/v1`, maxRetries: 0 })

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sgsd-openai-'))
  dir = join(root, 'a')
  await sgsdJson(['init', '--listen', '/ip4/127.0.0.1/tcp/0', '--data-dir', dir])
  await sgsdJson(['config', 'set', 'api.listen', '127.0.0.1:0', '--data-dir', dir])
  await up(dir, '--no-mine', '--no-farm')
  await sgsdJson(['farm', '-', '--data-dir', dir], `${LINES.join('\n')}\n`)
  status = await statusWhen(dir, ({ consensus }) => consensus.heads === 1)
  client = clientWith((await sgsd(['token', '--data-dir', dir])).out.trim())
}, PATIENCE_MS)

afterAll(async () => {
  await killAll()
  await rm(root, { recursive: true, force: true })
})

describe('the openai client', { timeout: PATIENCE_MS }, () => {
  test('gets vectors by default: base64 on the wire, 1,024 numbers, length 1', async () => {
    const { data, model, usage, object } = await client.embeddings.create({ model: 'sgs', input: '天地玄黃' })
    expect([object, data.length, data[0]!.embedding.length]).toEqual(['list', 1, 1_024])
    expect(Math.sqrt(data[0]!.embedding.reduce((sum, value) => sum + value * value, 0))).toBeCloseTo(1, 5)
    expect(model).toBe(`sgs:${status.consensus.id}`)
    expect(usage).toEqual({ prompt_tokens: 4, total_tokens: 4 })
  })

  test('gets the same numbers as floats, for a batch in its order, and by the id of the consensus or the layer', async () => {
    const base64 = await client.embeddings.create({ model: 'sgs', input: LINES })
    const floats = await client.embeddings.create({ model: 'sgs', input: LINES, encoding_format: 'float' })
    expect(floats).toEqual(base64)
    expect(floats.data.map(({ index }) => index)).toEqual(LINES.map((_, i) => i))
    const single = await client.embeddings.create({ model: `sgs:${status.consensus.id.slice(0, 12)}`, input: LINES[3]! })
    expect(single.data[0]!.embedding).toEqual(base64.data[3]!.embedding)
    // of one member with one layer, the consensus is that layer's
    const layer = await client.embeddings.create({ model: `sgs:${status.lattice.layer}`, input: LINES[3]! })
    expect(layer.model).toBe(`sgs:${status.lattice.layer}`)
    expect(layer.data[0]!.embedding).toEqual(single.data[0]!.embedding)
  })

  test('gets as many dimensions as it asks for', async () => {
    for (const dimensions of [1, 64, 257, 4_096]) {
      const { data } = await client.embeddings.create({ model: 'sgs', input: ['天地', '日月'], dimensions })
      expect(data.map(({ embedding }) => embedding.length)).toEqual([dimensions, dimensions])
    }
  })

  test('gets a batch of 2,048', async () => {
    const { data, usage } = await client.embeddings.create({ model: 'sgs', input: Array.from({ length: 2_048 }, (_, i) => LINES[i % 6]!) })
    expect(data).toHaveLength(2_048)
    expect(data[2_046]!.embedding).toEqual(data[0]!.embedding)
    expect(usage.total_tokens).toBe(4 * 2_048)
  })

  test('gets its own kinds of error', async () => {
    const wanted = { model: 'sgs', input: '天地' }
    await expect(clientWith('wrong').embeddings.create(wanted)).rejects.toBeInstanceOf(OpenAI.AuthenticationError)
    const noModel = client.embeddings.create({ ...wanted, model: 'text-embedding-3-small' })
    await expect(noModel).rejects.toBeInstanceOf(OpenAI.NotFoundError)
    await expect(noModel).rejects.toMatchObject({ status: 404, code: 'model_not_found', param: 'model', type: 'invalid_request_error' })
    await expect(client.embeddings.create({ ...wanted, model: 'sgs:000000' })).rejects.toMatchObject({ status: 404 })
    const tokens = client.embeddings.create({ ...wanted, input: [1, 2, 3] })
    await expect(tokens).rejects.toBeInstanceOf(OpenAI.BadRequestError)
    await expect(client.embeddings.create({ ...wanted, input: ['天地', 'hello'] })).rejects.toMatchObject({
      status: 400,
      code: 'no_known_characters',
      message: expect.stringContaining('input[1]') as string,
    })
    await expect(client.embeddings.create({ ...wanted, dimensions: 4_097 })).rejects.toMatchObject({ status: 400, param: 'dimensions' })
  })

  test('lists the models', async () => {
    const names: string[] = []
    for await (const { id, object } of client.models.list()) {
      expect(object).toBe('model')
      names.push(id)
    }
    expect(names).toEqual(['sgs', `sgs:${status.consensus.id}`, `sgs:${status.lattice.layer}`])
    expect((await client.models.retrieve('sgs')).owned_by).toBe('sgsd')
    await expect(client.models.retrieve('gpt')).rejects.toBeInstanceOf(OpenAI.NotFoundError)
  })

  test('one step, with the layer and the consensus that answered', async () => {
    const step = await client.post<{ nearest: { character: string }[]; layer: string; consensus: string; steps: number }>('/step', {
      body: { text: '天地玄黃', k: 3 },
    })
    expect(step.nearest.map(({ character }) => character).every((character) => '宇宙洪荒日月盈昃辰宿列張'.includes(character))).toBe(true)
    expect(step).toMatchObject({ layer: status.lattice.layer, consensus: status.consensus.id, steps: 1 })
  })
})

describe('beside it', { timeout: PATIENCE_MS }, () => {
  test('sgsd similar compares by the same vectors', async () => {
    const { data } = await client.embeddings.create({ model: 'sgs', input: ['天地玄黃', '宇宙洪荒', '天地'] })
    const [a, b, c] = data.map(({ embedding }) => embedding) as [number[], number[], number[]]
    const dot = (x: readonly number[], y: readonly number[]): number => x.reduce((sum, value, i) => sum + value * y[i]!, 0)
    const { cosines, model } = await sgsdJson<SimilarDocument>(['similar', '天地玄黃', '宇宙洪荒', '天地', '--data-dir', dir])
    expect(model).toBe(`sgs:${status.consensus.id}`)
    expect(cosines[0]![1]).toBeCloseTo(dot(a, b), 5)
    expect(cosines[2]![0]).toBeCloseTo(dot(a, c), 5)
    expect(cosines[0]![0]).toBe(1)
    const two = await sgsd(['similar', '天地玄黃', '天地', '--data-dir', dir])
    expect(two.out).toMatch(/^0\.\d{3}\n/)
    const unknown = await sgsd(['similar', '天地', 'hello', '--data-dir', dir])
    expect(unknown.code).toBe(1)
    expect(unknown.err).toMatch(/"hello"/)
    expect((await sgsd(['similar', '天地', '--data-dir', dir])).code).toBe(2)
  })

  test('a token that is rotated stops the old one at once', async () => {
    const fresh = (await sgsdJson<{ token: string }>(['token', '--rotate', '--data-dir', dir])).token
    await expect(client.models.retrieve('sgs')).rejects.toBeInstanceOf(OpenAI.AuthenticationError)
    expect((await clientWith(fresh).models.retrieve('sgs')).id).toBe('sgs')
  })
})
