import { expect, test } from 'vitest'
import { configSchema } from '../config.ts'
import { parseListenAddress, urlOf } from './listen-address.ts'

test.each([
  ['127.0.0.1:42070', 'http://127.0.0.1:42070'],
  ['127.8.8.8:0', 'http://127.8.8.8:0'],
  ['[::1]:80', 'http://[::1]:80'],
  ['localhost:65535', 'http://localhost:65535'],
])('%s is loopback', (text, url) => {
  const parsed = parseListenAddress(text)
  expect(parsed).toBeDefined()
  expect('fault' in parsed!).toBe(false)
  if (!('fault' in parsed!)) expect(urlOf(parsed!)).toBe(url)
})

test.each([
  '0.0.0.0:42070',
  '10.0.0.1:1',
  '[::]:1',
  'example.com:80',
  '127.0.0.1',
  '127.0.0.1:65536',
  ':42070',
  '',
  '127.0.0.1.evil.example:1',
  '::1:80',
])('%s is refused, in the configuration too', (text) => {
  expect(parseListenAddress(text)).toHaveProperty('fault')
  expect(configSchema.safeParse({ api: { listen: text } }).success).toBe(false)
})

test('off is no address', () => {
  expect(parseListenAddress('off')).toBeUndefined()
  expect(configSchema.parse({ api: { listen: 'off' } }).api.listen).toBe('off')
})
