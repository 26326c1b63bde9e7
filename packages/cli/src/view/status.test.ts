import { stripVTControlCharacters } from 'node:util'
import { describe, expect, test } from 'vitest'
import { samplePeer, sampleStatus } from '../fixtures/status.ts'
import { healthOf } from '../health.ts'
import { displayWidth } from '../text/display-width.ts'
import { styleOf } from '../text/style.ts'
import { statusView } from './status.ts'

const plain = styleOf(0)
const seven = sampleStatus({
  node: { name: 'a-node-with-a-name-of-32-letters' },
  peers: [
    samplePeer({ self: true, link: 'self' }),
    samplePeer({ name: 'boreas' }),
    samplePeer({ name: 'gaia', link: 'offline', rate: 0, seenMsAgo: 187_000, agrees: null, range: { start: 0, count: 0, done: 0 } }),
    samplePeer({ name: 'flora', link: 'direct [2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:42069', agrees: false }),
  ],
  warnings: [{ message: 'gaia has not been seen for 3m07s; its range is taken over', hint: 'sgsd peer show gaia' }],
})

describe('status', () => {
  test('says what people look for, in 100 columns', () => {
    expect(statusView(sampleStatus(), healthOf(sampleStatus()), 100, plain)).toEqual([
      'sgsd 0.1.0  node atlas  id 12D3Koo…x7Qp  up 3d 04:11  ● healthy',
      'mesh      grove · 2/2 peers connected · 3/3 agree · key on · mDNS on · Tailscale failed',
      'consensus [3f9c1e] 3f9c1e07b2a4  from 3 heads  changed 18s ago  fold mean/1  812,345 edges',
      'colours   epoch 12  ██████████████····  78%  31.4 G/s mesh  ETA 31s  xor [9b2c40] 9b2c40d1…',
      'trust     900 chunks audited · 0.8% of own work · nobody excluded',
      'lattice   22,903 rows · step on wasm · farmed 250/250 lines · mean score 0.137',
      'store     1.4 GiB · 3,912 blocks · 12 layers · disk free 212 GiB',
      '',
      'PEER    COLOUR    LINK                  RADICALS  RANGE              DONE     RATE  SEEN  AGREES',
      'atlas*  [995c83]  self                  3 (31%)   0–149,796          100%  8.1 G/s   now  ✓',
      'boreas  [3ca4ac]  direct 192.168.1.12   3 (34%)   149,797–299,593     97%  7.9 G/s   now  ✓',
      'flora   [f1d318]  tailscale 100.64.0.7  3 (31%)   299,594–1,048,575   63%  2.2 G/s    9s  ✓',
    ])
  })

  test.each([100, 80, 70])('every line fits %i columns, with and without colours', (width) => {
    for (const style of [plain, styleOf(24)]) {
      for (const line of statusView(seven, healthOf(seven), width, style)) expect(displayWidth(line), line).toBeLessThanOrEqual(width)
    }
  })

  test('without colours it says the same', () => {
    const coloured = statusView(seven, healthOf(seven), 100, styleOf(24)).map((line) =>
      stripVTControlCharacters(line).replaceAll(/ ([0-9a-f]{6}) /g, '[$1]'),
    )
    expect(coloured.map((line) => line.trimEnd())).toEqual(statusView(seven, healthOf(seven), 100, plain))
  })

  test('names whom it misses and who differs, oneself first', () => {
    const text = statusView(seven, healthOf(seven), 100, plain).join('\n')
    expect(text).toMatch(/▲ degraded/)
    expect(text).toMatch(/gaia .*offline .*\? unheard/)
    expect(text).toMatch(/flora .*! differs/)
    expect(text).toMatch(/! gaia has not been seen for 3m07s; its range is taken over {3}→ {2}sgsd peer show gaia/)
    expect(text.indexOf('atlas*')).toBeLessThan(text.indexOf('boreas'))
  })

  test('escape sequences in names of others do not reach the terminal', () => {
    const evil = sampleStatus({ peers: [samplePeer({ name: 'x\u001B[2Jy', link: 'lan \u001B]0;t\u0007' })] })
    expect(statusView(evil, healthOf(evil), 100, plain).join('')).not.toMatch(/\p{Cc}/u)
  })

  test('machines of the older protocol stand apart, as not trusted', () => {
    const heard = sampleStatus({ mesh: { unauthenticated: [{ address: '10.0.0.9', host: 'old\u001B[2Jbox', kind: 'gay', seenMsAgo: 5_000 }] } })
    expect(statusView(heard, healthOf(heard), 100, plain).at(-1)).toBe('unauthenticated neighbours, not trusted: oldbox 10.0.0.9 (gay, 5s)')
  })

  test('before the first fold it says so', () => {
    const young = sampleStatus({ consensus: { id: '', digest: '' } })
    expect(statusView(young, healthOf(young), 100, plain)[2]).toBe('consensus none yet: no layer has been committed')
  })
})
