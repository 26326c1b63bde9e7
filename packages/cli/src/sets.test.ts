import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeSet, parseSet, setId, setOf, tokenise } from '@sgsd/hllset'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Interrupted } from './failure.ts'
import { documentOf, runCommand } from './fixtures/command-run.ts'
import type { DisambiguateDocument } from './view/disambiguate.ts'
import type { SetCompareDocument, SetDocument, SetMakeDocument } from './view/set.ts'

let dir: string
const at = (name: string): string => join(dir, name)

const OLD = "The quick brown fox doesn't stop.\n天地玄黃\n"
const NEW = 'The quick red fox jumps.\r\n天地玄黃\r\n'

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sgsd-sets-'))
  const files = { 'old.txt': OLD, 'new.txt': NEW, 'bom.txt': `\uFEFF${OLD}`, 'empty.txt': '', 'marks.txt': '。，!\n' }
  for (const [name, text] of Object.entries(files)) await writeFile(at(name), text)
  await writeFile(at('latin1.txt'), Buffer.from('caf\u00e9 au lait', 'latin1'))
  await writeFile(at('torn.txt'), Buffer.from('天地').subarray(0, 5))
  await writeFile(at('damaged.set'), encodeSet(setOf(['a', 'b'])).subarray(0, 11))
  await writeFile(at('seeded.set'), encodeSet(setOf(tokenise(OLD, 'words'), 2 ** 31)))
  await writeFile(at('other.set'), encodeSet(setOf(['a'], 2 ** 30)))
  await writeFile(at('none.set'), encodeSet(setOf([])))
})
afterAll(() => rm(dir, { recursive: true, force: true }))

/** One line on stderr, nothing on stdout. */
async function refusal(words: readonly string[], message: RegExp, input: string | Uint8Array = ''): Promise<void> {
  const ran = await runCommand(words, { input })
  expect([ran.code, ran.out], ran.err).toEqual([2, ''])
  expect(ran.err.split('\n')).toEqual([expect.stringMatching(message)])
}

describe('set make', () => {
  test('writes the set of the tokens: its id is the digest of the file', async () => {
    const made = await documentOf<SetMakeDocument>(['set', 'make', at('old.txt'), '--out', at('old.set')])
    const bytes = await readFile(at('old.set'))
    expect(made).toMatchObject({
      schema: 'sgsd.set-make/1',
      out: at('old.set'),
      id: createHash('sha256').update(bytes).digest('hex'),
      bytes: bytes.length,
    })
    const parsed = parseSet(bytes)
    expect(parsed.ok && setId(parsed.set)).toBe(setId(setOf(tokenise(OLD, 'words'))))
    expect(made.of.map(({ tokens, occurrences }) => [tokens, occurrences])).toEqual([['words', 10]])
  })

  test('puts texts and sets together, in whatever order', async () => {
    await runCommand(['set', 'make', at('new.txt'), '--out', at('new.set')])
    const both = await documentOf<SetMakeDocument>(['set', 'make', at('new.set'), at('old.txt'), '--out', at('both.set')])
    const again = await documentOf<SetMakeDocument>(['set', 'make', '-', '--out', at('again.set')], { input: NEW + OLD })
    expect(both.id).toBe(again.id)
    const { out } = await runCommand(['set', 'make', at('new.set'), at('old.txt'), '--out', at('both.set')])
    expect(out.split('\n')).toHaveLength(4)
  })

  test('hashes texts as the sets among them are', async () => {
    const made = await documentOf<SetMakeDocument>(['set', 'make', at('old.txt'), at('seeded.set'), '--out', at('seeded-again.set')])
    expect([made.seed, made.id]).toEqual([2 ** 31, made.of[1]!.id])
  })

  test('says when the file cannot be written', async () => {
    const ran = await runCommand(['set', 'make', at('old.txt'), '--out', at('no/such/folder.set')])
    expect([ran.code, ran.out]).toEqual([1, ''])
    expect(ran.err).toMatch(/cannot write .*folder\.set/)
  })
})

describe('set show', () => {
  test('counts a text by words, characters or lines, and reads standard input', async () => {
    const sizes = await Promise.all(
      ['words', 'chars', 'lines'].map(async (kind) => {
        const { sets } = await documentOf<SetDocument>(['set', 'show', '-', '--tokens', kind], { input: OLD })
        return [sets[0]!.occurrences, Math.round(sets[0]!.size.value)]
      }),
    )
    expect(sizes).toEqual([
      [10, 10],
      [tokenise(OLD, 'chars').length, new Set(tokenise(OLD, 'chars')).size],
      [2, 2],
    ])
  })

  test('does not take a byte order mark for text', async () => {
    const { sets } = await documentOf<SetDocument>(['set', 'show', at('old.txt'), at('bom.txt'), '--tokens', 'lines'])
    expect(sets[0]!.id).toBe(sets[1]!.id)
  })

  test('shows a table, and of a set without tokens that it is empty', async () => {
    const { out } = await runCommand(['set', 'show', at('none.set'), at('old.txt')])
    expect(out).toMatch(/^SET +OF +TOKENS +DISTINCT +± +BITS +BYTES +COLOUR +ID\n.*none\.set +set +0\.0 +0\.0 +0 +8 B +\[/)
  })
})

describe('set compare', () => {
  test('estimates agree with the exact figures of small texts', async () => {
    const { estimates, exact, atLeast, a, b } = await documentOf<SetCompareDocument>(['set', 'compare', at('old.txt'), at('new.txt'), '--exact'])
    expect([a.occurrences, b.occurrences]).toEqual([10, 9])
    expect(exact).toMatchObject({
      a: 10,
      b: 9,
      union: 12,
      intersection: 7,
      xor: 5,
      change: { retained: 7, deleted: 3, new: 2 },
      jaccard: 7 / 12,
      aOverB: { tau: 7 / 9, rho: 3 / 9 },
      bOverA: { tau: 7 / 10, rho: 2 / 10 },
      examples: { deleted: ['brown', "doesn't", 'stop'], new: ['red', 'jumps'] },
    })
    expect(estimates.change.retained.value).toBeCloseTo(7, 0)
    expect(estimates.change.deleted.value).toBeCloseTo(3, 0)
    expect(estimates.change.new.value).toBeCloseTo(2, 0)
    expect(estimates.aOverB!.tau.value).toBeCloseTo(7 / 9, 1)
    expect(estimates.cosine.value).toBeCloseTo(exact!.cosine, 1)
    expect(atLeast.deleted).toBeLessThanOrEqual(3)
  })

  test('shows them all, with exact figures where they are wanted', async () => {
    const { out } = await runCommand(['set', 'compare', at('old.txt'), '-', '--exact'], { input: NEW })
    expect(out.split('\n').map((line) => line.split(/ {2,}/)[0])).toEqual([
      '',
      ...['|A|', '|B|', '|A ∪ B|', '|A ∩ B|', '|A ∖ B|', '|B ∖ A|', '|A △ B|', 'Jaccard', 'cosine'],
      ...['τ A over B', 'ρ A over B', 'τ B over A', 'ρ B over A', '', 'deleted', 'new'],
    ])
    expect(out).toContain("brown  doesn't  stop")
    const plain = await runCommand(['set', 'compare', at('old.txt'), at('old.txt')])
    expect(plain.out).toMatch(/Jaccard +1\.0000 +0\.\d{4} {2}/)
    expect(plain.out).not.toContain('EXACT')
  })

  test('a set and a text: the set says the seed', async () => {
    const { estimates } = await documentOf<SetCompareDocument>(['set', 'compare', at('old.txt'), at('seeded.set')])
    expect(estimates.xor.value).toBe(0)
  })

  test('over an empty set there is no τ', async () => {
    const { estimates } = await documentOf<SetCompareDocument>(['set', 'compare', at('old.txt'), at('none.set')])
    expect([estimates.aOverB, estimates.bOverA?.tau.value]).toEqual([null, 0])
    expect((await runCommand(['set', 'compare', at('old.txt'), at('none.set')])).out).toMatch(/τ A over B +– +–/)
  })
})

describe('bad input', () => {
  test.each([
    [['set', 'show', '/no/such/file'], /cannot read \/no\/such\/file: there is no such file/],
    [['set', 'show', '/'], /it is a folder/],
    [['set', 'show', '-'], /standard input holds no words/],
    [['set', 'show', '-', '-'], /only once/],
    [['set', 'compare', '-', '-'], /only once/],
    [['set', 'show', '-', '--tokens', 'bytes'], /Allowed choices are words, chars, lines/],
    [['set', 'make', '-'], /--out/],
    [['set', 'compare', '-'], /missing required argument/],
    [['disambiguate'], /missing required argument/],
    [['disambiguate', '-'], /standard input holds no characters/],
    [['disambiguate', '，。'], /"，。" holds no characters/],
    [['disambiguate', '人'.repeat(129)], /has 129 characters or more; at most 128/],
    [['disambiguate', 'xyz', '--corpus', 'qianziwen'], /qianziwen has none of these characters/],
    [['disambiguate', '天', '--corpus', '/no/such/file'], /cannot read \/no\/such\/file: there is no such file/],
    [['disambiguate', '-', '--corpus', '-'], /only once/],
  ])('%j', (words, message) => refusal(words, message))

  test.each([
    ['latin1.txt', /latin1\.txt: it is not UTF-8/],
    ['torn.txt', /torn\.txt: it is not UTF-8/],
    ['empty.txt', /empty\.txt holds no words/],
    ['marks.txt', /marks\.txt holds no words/],
    ['damaged.set', /damaged\.set begins like a set and is none: sparse body of 3 bytes/],
  ])('%s', async (name, message) => {
    await refusal(['set', 'show', at(name)], message)
    await refusal(['set', 'compare', at('old.txt'), at(name)], message)
  })

  test.each([
    ['latin1.txt', /it is not UTF-8/],
    ['empty.txt', /holds no characters to learn from/],
    ['marks.txt', /holds no characters to learn from/],
  ])('%s as a corpus', (name, message) => refusal(['disambiguate', '天', '--corpus', at(name)], message))

  test('sets of different hashes have nothing to compare; sets have no exact tokens', async () => {
    await refusal(['set', 'compare', at('seeded.set'), at('other.set')], /different hashes \(seeds 2147483648 and 1073741824\)/)
    await refusal(['set', 'compare', at('old.txt'), at('seeded.set'), '--exact'], /its tokens are not at hand/)
  })

  test('standard input that is not UTF-8', () => refusal(['set', 'show', '-'], /standard input: it is not UTF-8/, Uint8Array.of(0x61, 0xff)))
})

describe('disambiguate', () => {
  test('puts each clause in order', async () => {
    const { corpus, results } = await documentOf<DisambiguateDocument>(['disambiguate', '黃天玄地', '宙，宇荒洪', '--corpus', 'qianziwen'])
    expect(corpus).toEqual({ name: 'qianziwen', clauses: 250, characters: 1_000 })
    expect(results.map(({ text, exact, unseen }) => [text, exact, unseen])).toEqual([
      ['天地玄黃', true, []],
      ['宇宙洪荒', true, []],
    ])
    for (const { nats, givenNats } of results) expect(nats).toBeLessThan(givenNats)
  })

  test('learns from the text that ships unless told otherwise, or from a file', async () => {
    expect((await runCommand(['disambiguate', '雪江釣寒獨'])).out).toMatch(/^獨釣寒江雪 {2}[\d.]+ nats/)
    expect((await runCommand(['disambiguate', '亦说乎不', '--corpus', 'lunyu'])).out).toMatch(/^不亦说乎 /)
    expect((await runCommand(['disambiguate', '黃玄地天', 'kciuq', '--corpus', at('new.txt')])).out).toMatch(/^天地玄黃 .*\nquick /)
  })

  test('answers a line for each line of standard input; what it does not know stays as it is', async () => {
    const ran = await runCommand(['disambiguate', '-', '--corpus', 'qianziwen'], { input: '黃天玄地\n\n。\nxyzw\r\n宙宇荒洪' })
    expect([ran.code, ran.out, ran.err]).toEqual([0, '天地玄黃\nxyzw\n宇宙洪荒', ''])
  })

  test('says what is not in the corpus, and when not every order was weighed', async () => {
    const words = ['disambiguate', '黃天玄地荒宇洪宙盈日昃月張列宿辰x', '--corpus', 'qianziwen']
    expect((await runCommand(words)).out).toMatch(/nats, [\d.]+ as given {2}not every order weighed {2}not in the corpus: x$/)
  })

  test('an endless line is refused, and an endless input ends on Ctrl-C', async () => {
    await refusal(
      ['disambiguate', '-', '--corpus', 'qianziwen'],
      /the line that begins with "a{20}" has 65536 characters or more/,
      'a'.repeat(100_000),
    )
    const stopping = new AbortController()
    setTimeout(() => stopping.abort(new Interrupted('SIGINT')), 100)
    const ran = await runCommand(['set', 'show', '/dev/zero', '--tokens', 'chars'], { signal: stopping.signal })
    expect([ran.code, ran.out, ran.err]).toEqual([130, '', ''])
  })
})
