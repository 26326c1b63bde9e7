import { describe, expect, test } from 'vitest'
import { converge, PUBLISHED_START } from './converge.ts'
import type { Csr, LatticeMatrices } from './csr.ts'
import { GATES } from './gate.ts'
import { joinSets, type TokenSets } from './join.ts'
import { PUBLISHED, rowSum } from './step.ts'
import vectors from './vectors/swarm.json' with { type: 'json' }

/** The published kernel: radical, then its characters with their strokes. 信 has two entries; the second one counts, at the place of the first. */
const PUBLISHED_KERNEL =
  '人:人2 仁4 信9 众6 休6 体7 作7 使8 健11|水:水4 河8 江6 海10 湖12|木:木4 林8 森12 板8 桥10|口:口3 唱11 和8 品9|心:心4 想13 意13 愿14|' +
  '日:日4 明8 春9 晨11|山:山3 岳8 岸8|土:土3 坡8 城9|火:火4 炎8 灰6|女:女3 好6 妈6|子:子3 学8 字6|手:手4 打5 拍8|目:目5 看9 睛13|言:言7 讲6'
/** 工 stands second, between 人 and 仁. */
const SECOND = { character: '工', radical: '工', strokes: '3' }

const characters = publishedCharacters()
const runs = vectors.swarm_default_yml.runs.filter((run) => run.tau0 === GATES.published.tau && run.rho0 === GATES.published.rho)

describe('the published kernel of 55 characters', () => {
  test('has the characters that its vectors name', () => {
    expect(characters).toHaveLength(55)
    const named = Object.keys(vectors.swarm_default_yml.kernel_ids)
    expect(characters.slice(0, named.length).map((entry) => entry.character)).toEqual(named)
  })

  test('has no edge through the published gate, neither whole nor in its first twelve characters; through the default one it has', () => {
    expect(joinSets(threeTokens(characters), GATES.published).tau.cols).toHaveLength(0)
    expect(joinSets(threeTokens(characters.slice(0, 12)), GATES.published).tau.cols).toHaveLength(0)
    expect(joinSets(threeTokens(characters), GATES.default).tau.cols.length).toBeGreaterThan(0)
  })

  test.each(runs)('with the $mode sets, text $text, teacher $teacher: ends where the vectors say', ({ text, teacher, steps, s }) => {
    const lattice = joinSets(threeTokens(characters), GATES.published)
    const s0 = new Float32Array(characters.length).fill(PUBLISHED_START)
    const target = Float32Array.from(characters, ({ character }) => (text.includes(character) ? 1 : 0))
    const params = { ...PUBLISHED, teacher: teacher === 'raw' ? ('raw' as const) : ('lattice' as const) }
    const result = converge(lattice, s0, { rule: { profile: 'published', params }, teacher: target, maxSteps: steps })
    expect(result.steps).toBe(steps)
    s.forEach((value, row) => expect(result.s[row]).toBeCloseTo(value, 6))
  })

  test('never moves by itself: that is what an edgeless lattice means', () => {
    const lattice = joinSets(threeTokens(characters), GATES.published)
    const s0 = new Float32Array(characters.length).fill(PUBLISHED_START)
    const result = converge(lattice, s0, { rule: { profile: 'published' } })
    expect(result).toEqual({ s: s0, steps: 1, converged: true })
  })
})

describe('the example of the published description', () => {
  const example = vectors.swarm_wiki_example
  const lattice: LatticeMatrices = { tau: dense(example.Wtau), rho: dense(example.Wtau.map((row) => row.map(() => 0))) }
  const s = Float32Array.from(example.s)

  test('has the cognitive term Wτ·s', () => {
    example.cognitive_true.forEach((value, row) => expect(rowSum(lattice.tau, row, s)).toBeCloseTo(value, 6))
  })

  test('moves by α times it', () => {
    const result = converge(lattice, s, { rule: { profile: 'published' }, maxSteps: 1 })
    example.cognitive_true.forEach((value, row) => expect(result.s[row]).toBeCloseTo(example.s[row]! + PUBLISHED.alpha * value, 6))
  })
})

interface Entry {
  readonly character: string
  readonly radical: string
  readonly strokes: string
}

function publishedCharacters(): Entry[] {
  const groups = PUBLISHED_KERNEL.split('|').flatMap((group) => {
    const [radical, members] = group.split(':') as [string, string]
    return members.split(' ').map((member) => ({ character: member.slice(0, 1), radical, strokes: member.slice(1) }))
  })
  const [first, ...rest] = groups
  return [first!, SECOND, ...rest].map((entry) => (entry.character === '信' ? { ...entry, radical: '言' } : entry))
}

/** Each published set has three tokens: radical, strokes, and a definition of its own as one token. */
function threeTokens(entries: readonly Entry[]): TokenSets {
  const ids = new Map<string, number>()
  const idOf = (token: string): number => ids.get(token) ?? (ids.set(token, ids.size), ids.size - 1)
  const all = entries.flatMap(({ character, radical, strokes }) =>
    [`radical ${radical}`, `strokes ${strokes}`, `definition of ${character}`].map(idOf),
  )
  return { tokens: ids.size, ptr: Uint32Array.from({ length: entries.length + 1 }, (_, row) => 3 * row), ids: Uint32Array.from(all) }
}

function dense(rows: readonly (readonly number[])[]): Csr {
  const entries = rows.map((row) => row.flatMap((value, col) => (value === 0 ? [] : [{ col, value }])))
  const ptr = new Uint32Array(rows.length + 1)
  for (const [row, list] of entries.entries()) ptr[row + 1] = ptr[row]! + list.length
  return {
    rows: rows.length,
    ptr,
    cols: Uint32Array.from(entries.flat(), ({ col }) => col),
    vals: Float32Array.from(entries.flat(), ({ value }) => value),
  }
}
