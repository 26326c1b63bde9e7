import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import { MAX_OBSERVER_BYTES, parseObserverMessage } from './observer-message.ts'
import { type Observer, openObserver } from './udp-observer.ts'

let observer: Observer | undefined
const sockets: Socket[] = []
afterEach(async () => {
  await observer?.[Symbol.asyncDispose]()
  observer = undefined
  for (const socket of sockets.splice(0)) socket.close()
})

async function open(): Promise<Observer> {
  observer = await openObserver({ port: 0, host: '127.0.0.1', hello: () => ({ host: 'atlas', polarity: 1, fingerprint: 0xab11046cn }) })
  return observer
}

async function speaker(): Promise<Socket> {
  const socket = createSocket('udp4')
  sockets.push(socket)
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return socket
}

test('a greeting is heard, shown and answered once', async () => {
  const { port } = await open()
  const socket = await speaker()
  const answers: string[] = []
  socket.on('message', (bytes) => answers.push(bytes.toString()))
  for (let i = 0; i < 20; i++) socket.send('{"g":"gay","h":"causality","p":2,"f":"0xAB11046C"}', port, '127.0.0.1')
  await expect.poll(() => answers.length, { timeout: 3_000 }).toBe(1)
  await sleep(50)
  expect(answers).toEqual(['{"g":"gay","t":"hello","h":"atlas","p":1,"f":"0xab11046c"}'])
  expect(observer!.neighbours().map(({ message }) => message)).toEqual([{ kind: 'hello', host: 'causality', polarity: 2, fingerprint: 0xab11046cn }])
})

test('our own echo and messages that ask nothing get no answer', async () => {
  const { port } = await open()
  const socket = await speaker()
  let answered = 0
  socket.on('message', () => (answered += 1))
  socket.send('{"g":"gay","h":"atlas"}', port, '127.0.0.1')
  socket.send('{"g":"gay","t":"result","h":"hatchery","f":7}', port, '127.0.0.1')
  await expect.poll(() => observer!.neighbours()[0]?.message.kind, { timeout: 3_000 }).toBe('result')
  await sleep(100)
  expect(answered).toBe(0)
})

test('garbage leaves no trace and does not end the observer', async () => {
  const { port } = await open()
  const socket = await speaker()
  for (const bytes of ['', '{', '[]', 'null', '{"g":"gay"}', '{"g":"other","h":"x"}', '\u0000\u00ff', 'x'.repeat(1_400)])
    socket.send(bytes, port, '127.0.0.1')
  socket.send('{"g":"gay","h":"\\u001b[31mred"}', port, '127.0.0.1')
  await expect.poll(() => observer!.neighbours().length, { timeout: 3_000 }).toBe(1)
  expect(observer!.neighbours()[0]!.message.host).toBe('?[31mred')
})

const anyField = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.string(),
  fc.constantFrom(null, undefined, [], {}, '0x10000000000000000', '18446744073709551616'),
)

test('the parser never throws and never lets a control character through', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 2_000 }),
        fc.json().map((text) => Buffer.from(text)),
      ),
      (bytes) => {
        const parsed = parseObserverMessage(bytes)
        if (bytes.length > MAX_OBSERVER_BYTES) expect(parsed.type).toBe('reject')
        if (parsed.type === 'accept') expect(parsed.value.host).toMatch(/^[\x20-\x7e]{1,32}$/)
      },
    ),
  )
  fc.assert(
    fc.property(fc.string({ minLength: 1, unit: 'binary' }), anyField, anyField, (h, p, f) => {
      const parsed = parseObserverMessage(
        Buffer.from(JSON.stringify({ g: 'gay', h, p, f }, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value)) ?? ''),
      )
      if (parsed.type === 'accept') expect(parsed.value.host).toMatch(/^[\x20-\x7e]{1,32}$/)
    }),
  )
})
