import { describe, expect, test } from 'vitest'
import { endpointOf, loopbackLast, viaOf } from './link.ts'

describe('how a connection goes', () => {
  test.each([
    ['/ip4/127.0.0.1/tcp/1', 'loopback'],
    ['/ip4/127.9.9.9/tcp/1/p2p/x', 'loopback'],
    ['/ip6/::1/tcp/1', 'loopback'],
    ['/ip4/192.0.2.2/tcp/1', 'loopback'],
    ['/ip4/192.168.1.7/tcp/1', 'lan'],
    ['/ip4/10.1.2.3/tcp/1', 'lan'],
    ['/ip4/172.16.0.1/tcp/1', 'lan'],
    ['/ip4/172.32.0.1/tcp/1', 'direct'],
    ['/ip6/fe80::1/tcp/1', 'lan'],
    ['/ip6zone/eth0/ip6/fe80::1/tcp/1', 'lan'],
    ['/ip6/fd00::1/tcp/1', 'lan'],
    ['/ip4/100.64.0.7/tcp/1', 'tailscale'],
    ['/ip4/100.127.255.255/tcp/1', 'tailscale'],
    ['/ip4/100.128.0.1/tcp/1', 'direct'],
    ['/ip6/fd7a:115c:a1e0::7/tcp/1', 'tailscale'],
    ['/ip6/::ffff:192.168.0.1/tcp/1', 'lan'],
    ['/ip4/8.8.8.8/tcp/1', 'direct'],
    ['/dns4/example.org/tcp/1', 'direct'],
    ['nonsense', 'direct'],
    ['', 'direct'],
  ])('%s goes %s', (addr, via) => {
    expect(viaOf(addr, new Set(['192.0.2.2']))).toBe(via)
  })

  test('loopback comes last, otherwise in order', () => {
    expect(loopbackLast(['/ip4/127.0.0.1/tcp/1', '/ip4/10.0.0.1/tcp/1', '/ip6/::1/tcp/1', '/ip4/10.0.0.2/tcp/1'])).toEqual([
      '/ip4/10.0.0.1/tcp/1',
      '/ip4/10.0.0.2/tcp/1',
      '/ip4/127.0.0.1/tcp/1',
      '/ip6/::1/tcp/1',
    ])
  })

  test('an endpoint is the same with and without a peer id', () => {
    expect(endpointOf('/ip4/10.0.0.1/tcp/5/p2p/x')).toBe(endpointOf('/ip4/10.0.0.1/tcp/5'))
    expect(endpointOf('/ip4/10.0.0.1/udp/5')).toBeUndefined()
  })
})
