import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { failureOf, items, world } from './fixtures/world.ts'
import { HOST_KINDS, hostSchema } from './host-config.ts'
import { openHost } from './open-host.ts'

const page = await readFile(fileURLToPath(new URL('../../../../docs/hosts.md', import.meta.url)), 'utf8')
const quiet = new AbortController().signal

/** The code blocks of one section in one language. */
function blocks(section: string, language: string): readonly string[] {
  const text = page.split(/^## /m).find((part) => part.startsWith(`${section}\n`)) ?? ''
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))].map((match) => match[1]!)
}

async function program(source: string): Promise<string> {
  const file = join(await mkdtemp(join(tmpdir(), 'sgsd-hosts-')), 'grader.mjs')
  await writeFile(file, source)
  return file
}

describe('the page about hosts', () => {
  test('has an example for every kind, and each is a configuration', () => {
    const examples = [...page.matchAll(/config set farm\.host '(.*)'/g)].map((match) => hostSchema.parse(JSON.parse(match[1]!)))
    expect(new Set(examples.map(({ kind }) => kind))).toEqual(new Set(Object.keys(HOST_KINDS)))
    for (const kind of Object.keys(HOST_KINDS)) expect(page).toContain(`| \`${kind}\` |`)
  })

  test('its web service works', async () => {
    const probe = createServer().listen(0, '127.0.0.1')
    await once(probe, 'listening')
    const { port } = probe.address() as { port: number }
    await new Promise((resolve) => probe.close(resolve))
    const server = spawn(process.execPath, [await program(blocks('http', 'js')[0]!), String(port)], { stdio: 'ignore' })
    try {
      // Refused until it listens: that is what the attempts are for.
      await using host = (await openHost(hostSchema.parse({ kind: 'http', url: `http://127.0.0.1:${port}/grade`, retries: 6 }), await world()))!
      expect(await host.grade(items(2), quiet)).toEqual([{ score: 1 / 6, revision: '疑是地上霜0' }, undefined])
    } finally {
      server.kill()
    }
  })

  test('its program works', async () => {
    const config = hostSchema.parse({ kind: 'command', command: process.execPath, args: [await program(blocks('command', 'js')[0]!)] })
    await using host = (await openHost(config, await world()))!
    expect(await host.grade(items(2), quiet)).toEqual([{ score: 1, revision: '疑是地上霜0' }, undefined])
  })

  test('its tables are those that are made, and its statement grades the outbox', async () => {
    const { DatabaseSync } = await import('node:sqlite')
    const env = await world()
    await using host = (await openHost(hostSchema.parse({ kind: 'sqlite', path: 'grades.db' }), env))!
    expect(await host.grade(items(2), quiet)).toEqual([undefined, undefined])
    using made = new DatabaseSync(join(env.root, 'grades.db'))
    using written = new DatabaseSync(':memory:')
    written.exec(blocks('sqlite', 'sql')[0]!)
    const shape = (database: InstanceType<typeof DatabaseSync>): unknown =>
      database
        .prepare(
          'SELECT m.name, c.name AS column, c.type, c."notnull", c.pk FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = \'table\' ORDER BY 1, 2',
        )
        .all()
    expect(shape(made)).toEqual(shape(written))
    made.exec(/"(INSERT .*)"/.exec(blocks('sqlite', 'sh').join('\n'))![1]!)
    expect(await host.grade(items(2), quiet)).toEqual([{ score: 1, revision: '疑是地上霜0' }, undefined])
  })

  test('its codes are those that hosts fail with', async () => {
    await using host = (await openHost(hostSchema.parse({ kind: 'http', url: 'http://127.0.0.1:1/', retries: 0 }), await world()))!
    const { code } = (await failureOf(host.grade(items(1), quiet))) as { code: string }
    expect(page).toContain(`| \`${code}\` |`)
  })
})
