import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createRawServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { askTailscale } from './tailscale-source.ts'
import { readTailscaleStatus } from './tailscale-status.ts'
import { TailscaleDiscovery, tailscaleHints, tailscaleReport } from './tailscale.ts'

const recorded = (name: string): Promise<string> => readFile(new URL(`fixtures/tailscale-${name}.json`, import.meta.url), 'utf8')
const never = new AbortController().signal
const NO_COMMAND = '/nonexistent/tailscale'

let dir: string
const cleanups: (() => void)[] = []

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sgs-tailscale-'))
})
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup()
})
afterAll(() => rm(dir, { recursive: true, force: true }))

/** A real HTTP server on a real unix socket, as tailscaled is. */
async function tailscaled(listener: RequestListener): Promise<string> {
  const path = join(dir, `${Math.random().toString(36).slice(2)}.sock`)
  const server = createServer(listener).listen(path)
  await new Promise((resolve) => server.once('listening', resolve))
  cleanups.push(() => {
    server.close()
    server.closeAllConnections()
  })
  return path
}

/** An executable that stands for the `tailscale` command. */
async function command(script: string): Promise<string> {
  const path = join(dir, `tailscale-${Math.random().toString(36).slice(2)}`)
  await writeFile(path, `#!/bin/sh\n${script}\n`)
  await chmod(path, 0o755)
  return path
}

describe('the local API socket', () => {
  test('running: online machines that are ours are dialled at the mesh port', async () => {
    const seen: (string | undefined)[] = []
    const status = await recorded('running')
    const socket = await tailscaled((request, response) => {
      seen.push(request.url, request.headers.host)
      response.end(status)
    })
    const answer = await askTailscale({ socketPaths: ['/nonexistent.sock', socket], command: NO_COMMAND }, never)
    expect(seen).toEqual(['/localapi/v0/status', 'local-tailscaled.sock'])
    expect(answer).toMatchObject({ type: 'running', known: 6, online: [{ hostName: 'tower' }, { hostName: 'mini' }, { hostName: 'rented' }] })
    const addrs = tailscaleHints(answer, 42_069).map((hint) => hint.addrs[0])
    expect(addrs).toEqual(['/ip4/100.101.102.7/tcp/42069', '/ip4/100.88.14.120/tcp/42069', '/ip4/100.64.0.7/tcp/42069'])
    expect(tailscaleReport(answer, 42_069)).toMatchObject({ state: 'ok', found: 3, why: 'Tailscale: 3 of 6 machines online, dialled at port 42069' })
  })

  test('logged out and stopped say what to do', async () => {
    for (const [name, why] of [
      ['needs-login', 'Tailscale: installed but logged out; run `tailscale up`'],
      ['stopped', 'Tailscale: installed but not running (state Stopped)'],
    ] as const) {
      const status = await recorded(name)
      const socket = await tailscaled((_, response) => response.end(status))
      const answer = await askTailscale({ socketPaths: [socket], command: NO_COMMAND }, never)
      expect(tailscaleReport(answer, 1)).toMatchObject({ state: 'failed', found: 0, why })
      expect(tailscaleHints(answer, 1)).toEqual([])
    }
  })

  test('garbage, refusals, a huge answer and a broken one are reports, not exceptions', async () => {
    const cases: [RequestListener, RegExp][] = [
      [(_, response) => response.end('<html>'), /not JSON/],
      [(_, response) => response.end('{"BackendState":7}'), /no BackendState/],
      [(_, response) => response.writeHead(403).end('denied'), /this user may not ask/],
      [(_, response) => response.writeHead(500).end(), /answered 500/],
      [(_, response) => response.end(Buffer.alloc(17 * 1024 * 1024, 32)), /larger than/],
      [(request) => request.socket.destroy(), /hang up|ECONNRESET/],
    ]
    for (const [listener, reason] of cases) {
      const socket = await tailscaled(listener)
      const report = tailscaleReport(await askTailscale({ socketPaths: [socket], command: NO_COMMAND }, never), 1)
      expect(report.state).toBe('failed')
      expect(report.why).toMatch(reason)
    }
  })

  test('a socket that accepts and never answers costs two seconds', async () => {
    const path = join(dir, 'silent.sock')
    const server = createRawServer(() => undefined).listen(path)
    await new Promise((resolve) => server.once('listening', resolve))
    const startedAt = performance.now()
    const answer = await askTailscale({ socketPaths: [path], command: NO_COMMAND }, never)
    server.close()
    expect(performance.now() - startedAt).toBeLessThan(3_500)
    expect(answer).toMatchObject({ type: 'unreadable', detail: expect.stringMatching(/no answer in 2000 ms/) })
  })
})

describe('the command', () => {
  test('is asked when no socket is there', async () => {
    const path = await command(`cat '${new URL('fixtures/tailscale-running.json', import.meta.url).pathname}'`)
    expect(await askTailscale({ socketPaths: [], command: path }, never)).toMatchObject({ type: 'running', known: 6 })
  })

  test('logged out it exits 1 and still prints the document', async () => {
    const path = await command(`cat '${new URL('fixtures/tailscale-needs-login.json', import.meta.url).pathname}'; exit 1`)
    expect(await askTailscale({ socketPaths: [], command: path }, never)).toEqual({ type: 'not-running', backendState: 'NeedsLogin' })
  })

  test('an unusable command is named', async () => {
    const path = await command('echo "failed to connect to local tailscaled" >&2; exit 1')
    expect(await askTailscale({ socketPaths: [], command: path }, never)).toMatchObject({ type: 'unreadable' })
  })

  test('neither socket nor command: switched off by itself, with the reason', async () => {
    const answer = await askTailscale({ socketPaths: ['/nonexistent.sock'], command: NO_COMMAND }, never)
    expect(tailscaleReport(answer, 1)).toMatchObject({ state: 'off', why: 'Tailscale: no socket and no `tailscale` command on this machine' })
  })
})

describe('polling', () => {
  test('tells what it found, and nothing once stopped', async () => {
    const status = await recorded('running')
    const socket = await tailscaled((_, response) => response.end(status))
    const found: number[] = []
    const discovery = new TailscaleDiscovery({ port: 7, socketPaths: [socket], command: NO_COMMAND }, (hints) => found.push(hints.length))
    expect(discovery.report().state).toBe('searching')
    await discovery.start()
    expect(found).toEqual([3])
    discovery.stop()
    const late = new TailscaleDiscovery({ port: 7, socketPaths: [socket], command: NO_COMMAND }, (hints) => found.push(hints.length))
    late.stop()
    await late.start()
    expect(found).toEqual([3])
  })
})

describe('reading a status', () => {
  test('is total over any JSON', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        readTailscaleStatus(text)
      }),
    )
  })

  test('is total over any shape of peers, and hints hold only IP addresses', () => {
    const peer = fc.record({ Online: fc.anything(), Expired: fc.anything(), TailscaleIPs: fc.anything(), ID: fc.anything() }, { requiredKeys: [] })
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.oneof(fc.anything(), peer)), (peers) => {
        const text = JSON.stringify({ BackendState: 'Running', Peer: peers }, (_, value) => (typeof value === 'bigint' ? Number(value) : value))
        const status = readTailscaleStatus(text)
        for (const hint of tailscaleHints(status, 1)) for (const addr of hint.addrs) expect(addr).toMatch(/^\/ip[46]\/[0-9a-f.:]+\/tcp\/1$/)
      }),
    )
  })
})
