import type { PeerTrustDocument, ProofDocument } from '@sgsd/daemon'
import { describe, expect, test } from 'vitest'
import { styleOf } from '../text/style.ts'
import { proofTable, trustDetails } from './trust.ts'

describe('what sgsd peer show says of trust', () => {
  const proof: ProofDocument = {
    id: 'ab'.repeat(32),
    accuser: 'peer-a',
    accused: 'peer-b',
    epoch: '0x0000000000000003',
    chunk: 17,
    absoluteChunk: '0x0000000000000311',
    claimed: '0x00000000000000aa',
    computed: '0x00000000000000bb',
    verdict: 'upheld',
  }
  const trust: PeerTrustDocument = {
    schema: 'sgsd.peer-trust/1',
    peerId: 'peer-b',
    excluded: null,
    windows: [],
    offences: 0,
    proofs: [],
    equivocations: [],
    probation: true,
    goodEpochs: 3,
    audited: 192,
    failed: 0,
    samplesPerEpoch: 192,
    detection: [{ fraction: 0.01, here: 0.855, perEpoch: 0.9999999 }],
    weight: null,
    receipts: [],
  }
  const style = styleOf(0)
  const text = (document: PeerTrustDocument): string => trustDetails(document, new Map([['peer-a', 'atlas']]), style).join('\n')

  test('of one that is new', () => {
    expect(text(trust)).toMatch(/in probation: 3 of 10 good epochs/)
    expect(text(trust)).toMatch(/85\.5 % of one that forges 1 %/)
    expect(text(trust)).toMatch(/> 99\.9 % at 1 %/)
  })

  test('of one that is out: why, for how long, by whose proof, and what to type', () => {
    const window = { cause: 'forged', from: '0x0000000000000003', until: '0x000000000000000b', evidence: proof.id } as const
    const shown = text({ ...trust, excluded: window, windows: [window], offences: 1, proofs: [proof], failed: 1 })
    expect(shown).toMatch(/excluded for epochs 3 to 11: it claimed a wrong value/)
    expect(shown).toMatch(/proof +abababababab by atlas, upheld: chunk 17 of epoch 3 \(chunk 785 of the mesh\)/)
    expect(shown).toContain('claimed  0x00000000000000aa')
    expect(shown).toContain('computed 0x00000000000000bb')
    expect(shown).toContain('sgsd proof export abababababab > proof.json && sgsd proof check proof.json')
  })

  test('of all proofs, one a line', () => {
    expect(proofTable([proof], new Map([['peer-b', 'boreas']]))).toEqual(['abababababab  epoch 3 chunk 17  peer-a against boreas  upheld'])
  })
})
