import { describe, expect, test } from 'vitest'
import { world } from './fixtures/world.ts'
import { HOST_KINDS, type HostConfig, hostSchema } from './host-config.ts'
import { openHost } from './open-host.ts'

const EXAMPLES: { readonly [K in HostConfig['kind']]: object } = {
  'next-line': {},
  http: { url: 'http://127.0.0.1:1/' },
  openai: { baseUrl: 'http://127.0.0.1:1/v1', model: 'm' },
  command: { command: 'no-such-program' },
  stdout: { path: 'items' },
  sqlite: { path: 'grades.db' },
}

test('every kind that the help names opens, and only at its first call does anything happen', async () => {
  expect(Object.keys(EXAMPLES)).toEqual(Object.keys(HOST_KINDS))
  const env = await world()
  for (const [kind, example] of Object.entries(EXAMPLES)) {
    await using host = await openHost(hostSchema.parse({ kind, ...example }), env)
    expect(host?.kind).toBe(kind === 'next-line' ? undefined : kind)
  }
  expect(env.logged).toEqual([])
})

describe('the configuration', () => {
  test('says next-line when it says nothing, and fills what is left out', () => {
    expect(hostSchema.parse(undefined)).toEqual({ kind: 'next-line' })
    expect(hostSchema.parse({ kind: 'openai', baseUrl: 'https://a/v1', model: 'm', budget: { maxTokens: 5 } })).toEqual({
      kind: 'openai',
      baseUrl: 'https://a/v1',
      model: 'm',
      maxAnswerTokens: 512,
      timeoutMs: 60_000,
      retries: 3,
      batch: 4,
      budget: { maxRequests: 1_000, maxTokens: 5, per: 'day' },
    })
  })

  test.each([
    [{ kind: 'htp' }, 'must be one of next-line, http, openai, command, stdout, sqlite'],
    [{}, 'must be one of'],
    ['http', 'expected object'],
    [{ kind: 'next-line', batch: 3 }, 'batch'],
    [{ kind: 'http', url: 'http://me:secret@host/' }, 'header file'],
    [{ kind: 'http', url: 'file:///etc/passwd' }, 'http:// or https://'],
    [{ kind: 'http', url: 'http://host/', timeoutMs: 0 }, 'timeoutMs'],
    [{ kind: 'openai', baseUrl: 'https://a/v1', model: 'm', apiKey: 'sk-secret' }, 'apiKeyFile'],
    [{ kind: 'openai', baseUrl: 'https://a/v1', model: 'm', apiKeyEnv: 'sk-secret' }, 'name of an environment variable'],
    [{ kind: 'openai', baseUrl: 'https://a/v1', model: 'm', apiKeyEnv: 'A', apiKeyFile: 'b' }, 'not both'],
    [{ kind: 'openai', baseUrl: 'https://a/v1', model: 'm', budget: { maxRequest: 1 } }, 'maxRequest'],
    [{ kind: 'command', command: 'x', shell: true }, 'shell'],
    [{ kind: 'command', command: 'x\0y' }, 'zero character'],
    [{ kind: 'stdout' }, 'path'],
    [{ kind: 'sqlite', path: '' }, 'path'],
  ])('%j is refused, without its secrets', (config, said) => {
    const faults = JSON.stringify(hostSchema.safeParse(config).error?.issues)
    expect(faults).toContain(said)
    expect(faults).not.toContain('secret')
  })

  test('a key that crosses a network unencrypted is warned of', async () => {
    for (const [baseUrl, warnings] of [
      ['http://10.0.0.7/v1', 1],
      ['https://10.0.0.7/v1', 0],
      ['http://localhost:11434/v1', 0],
      ['http://[::1]/v1', 0],
      ['http://127.0.0.1.example.com/v1', 1],
    ] as const) {
      const env = await world()
      await using _host = await openHost(hostSchema.parse({ kind: 'openai', baseUrl, model: 'm', apiKeyEnv: 'KEY' }), env)
      expect(env.logged).toHaveLength(warnings)
    }
  })
})
