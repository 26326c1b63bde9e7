import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SEGMENT_BYTES } from './cut.ts'
import { type FarmFixture, farmFixture, inPieces } from './farm.fixture.ts'
import type { LedgerText } from './ledger.ts'
import { linesOf } from './lines.ts'
import { TextReader } from './text-reader.ts'

const bytesOf = (text: string): Buffer => Buffer.from(text, 'utf8')
const give = (
  farm: FarmFixture,
  name: string,
  text: string,
  options: { again?: boolean; shared?: boolean } = {},
): ReturnType<FarmFixture['taker']['take']> => farm.taker.take({ name, ...options }, inPieces(bytesOf(text), [7_919]))

/** All lines of a text as the reader hands them out, window by window. */
async function read({ ledger, segments }: FarmFixture, text: LedgerText, size = 64): Promise<string[]> {
  const reader = new TextReader(ledger, segments)
  const lines: string[] = []
  while (lines.length < text.ready) {
    const window = await reader.window(text, lines.length, size)
    expect(window.context).toEqual(lines.slice(-window.context.length || lines.length))
    lines.push(...window.lines)
    expect(window.parts.reduce((sum, { from, to }) => sum + to - from, 0)).toBe(window.lines.length)
  }
  return lines
}

/** Several segments of lines that all differ. */
function longText(segments: number, seed = ''): string {
  const lines: string[] = []
  for (let size = 0, i = 0; size < (segments - 0.5) * SEGMENT_BYTES; i++) {
    lines.push(i % 9 === 8 ? '' : `${seed}第${i}行${'天地玄黃'.repeat(20)}`)
    size += Buffer.byteLength(lines.at(-1) ?? '') + 1
  }
  return `${lines.join('\n')}\n`
}

describe('a text that is given', () => {
  test('has its lines, whatever the pieces', async () => {
    const texts = fc.array(fc.string({ unit: fc.constantFrom('天', '地', '\n', '\r\n', 'a', ' '), maxLength: 40 }), { minLength: 1, maxLength: 3 })
    await fc.assert(
      fc.asyncProperty(texts, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }), async (parts, lengths) => {
        const text = `天${parts.join('\n')}`
        const farm = await farmFixture()
        const taken = await farm.taker.take({ name: 'x' }, inPieces(bytesOf(text), lengths))
        expect(taken).toMatchObject({ taken: linesOf(text).length, known: 0, text: { whole: true, ready: linesOf(text).length } })
        expect(await read(farm, taken.text, 3)).toEqual(linesOf(text))
      }),
      { numRuns: 60 },
    )
  })

  test('of several segments is cut between lines, and each is named by the hash of its bytes', async () => {
    const farm = await farmFixture()
    const text = longText(3)
    const { text: taken } = await give(farm, 'x', text)
    const segments = farm.ledger.segments(taken.id)
    expect(segments).toHaveLength(3)
    for (const { bytes } of segments) expect(bytes).toBeLessThanOrEqual(SEGMENT_BYTES + 1)
    expect(await read(farm, taken)).toEqual(linesOf(text))
  })

  test('and given again is known: not a line more to farm', async () => {
    const farm = await farmFixture()
    const text = longText(2)
    const first = await give(farm, 'x', text)
    expect(await give(farm, 'x', text)).toMatchObject({ taken: 0, known: first.taken, text: { id: first.text.id } })
    expect(await give(farm, 'renamed', text)).toMatchObject({ taken: 0, text: { id: first.text.id } })
    expect(await give(farm, 'x', text, { again: true })).toMatchObject({ taken: first.taken, known: 0 })
    expect(await give(farm, 'x', text, { shared: true })).toMatchObject({ taken: first.taken, known: 0 })
  })

  test('that only begins like a short one of another name is another', async () => {
    const farm = await farmFixture()
    const short = await give(farm, 'a', '天地\n')
    expect(await give(farm, 'b', '天地\n玄黃\n')).toMatchObject({ taken: 2, known: 0 })
    expect(await give(farm, 'c', '天地\n')).toMatchObject({ taken: 0, text: { id: short.text.id } })
  })

  test.each([
    ['天地\n玄黃\n', '天地\n玄黃\n宇宙\n'],
    ['天地\n玄黃', '天地\n玄黃\n宇宙\n'],
    ['天地\n玄黃', '天地\n玄黃\r\n宇宙'],
    ['天地\n', '天地\n\n宇宙\n'],
  ])('and grew from %j to %j goes on with the line before', async (before, after) => {
    const farm = await farmFixture()
    const { text } = await give(farm, 'log', before)
    farm.ledger.advance(new Map([[text.id, { next: text.lines, graded: 1, unknown: 0 }]]))
    const grown = await give(farm, 'log', after)
    expect(grown).toMatchObject({ known: linesOf(before).length, text: { id: text.id, whole: true, next: text.lines - 1 } })
    expect(await read(farm, grown.text)).toEqual(linesOf(after))
    expect(farm.changes).toContainEqual([text.id, text.lines - 1])
    expect(grown.text.turn).toBeGreaterThan(text.turn)
  })

  test('and changed within is farmed from the changed segment on', async () => {
    const farm = await farmFixture()
    const before = longText(3)
    const { text } = await give(farm, 'x', before)
    farm.ledger.advance(new Map([[text.id, { next: text.lines, graded: 1, unknown: 0 }]]))
    const second = farm.ledger.segment(text.id, 1)!
    const after = linesOf(before).map((line, i) => (i === second.first + 10 ? '新' : line))
    const changed = await give(farm, 'x', `${after.join('\n')}\n`)
    expect(changed).toMatchObject({ known: second.first, text: { id: text.id, next: second.first - 1, lines: after.length } })
    expect(await read(farm, changed.text)).toEqual(after)
  })

  test('and broke off anywhere goes on there, and ends as if it never had', async () => {
    const text = longText(4)
    const bytes = bytesOf(text)
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: bytes.length - 1 }), { minLength: 1, maxLength: 4 }), async (breaks) => {
        const farm = await farmFixture()
        let lines = 0
        for (const at of breaks) {
          const broken = farm.taker.take({ name: 'x' }, inPieces(bytes.subarray(0, at), [65_536], new Error('gone')))
          await expect(broken).rejects.toThrow('gone')
          const [held] = farm.ledger.list(9)
          expect(held?.lines ?? 0).toBeGreaterThanOrEqual(lines)
          lines = held?.lines ?? 0
          expect(held?.ready ?? 0).toBe(Math.max(0, lines - 1))
        }
        const whole = await give(farm, 'x', text)
        expect(whole).toMatchObject({ known: lines, taken: linesOf(text).length - lines })
        expect(farm.ledger.list(9)).toHaveLength(1)
        expect(await read(farm, whole.text, 1_000)).toEqual(linesOf(text))
      }),
      { numRuns: 12 },
    )
  })

  test('whose segments were let go is still known, and what is appended can be learned', async () => {
    const farm = await farmFixture()
    const { text } = await give(farm, 'x', '天地\n玄黃\n')
    farm.ledger.advance(new Map([[text.id, { next: 2, graded: 1, unknown: 0 }]]))
    for (const { block, first } of farm.ledger.spent(text.id, 4)) {
      await farm.segments.delete(block as never)
      farm.ledger.moved(text.id, first, '')
    }
    expect(farm.ledger.segment(text.id, 0)?.block).toBe('')
    expect(await give(farm, 'x', '天地\n玄黃\n')).toMatchObject({ taken: 0, known: 2 })
    const grown = await give(farm, 'x', '天地\n玄黃\n宇宙\n')
    const window = await new TextReader(farm.ledger, farm.segments).window(grown.text, grown.text.next, 64)
    expect(window).toMatchObject({ context: ['天地'], lines: ['玄黃', '宇宙'], successor: undefined })
  })

  test('has blocks that nobody can ask for who knows its hash', async () => {
    const farm = await farmFixture()
    const { text } = await give(farm, 'x', '天地\n')
    const { digest, block } = farm.ledger.segment(text.id, 0)!
    expect(block).not.toBe(digest)
    expect(farm.segments.has(digest as never)).toBe(false)
  })
})

describe('bad input', () => {
  test.each([
    ['nothing', ''],
    ['only empty lines', ' \n\n\t\n'],
  ])('%s is refused and leaves nothing', async (_, text) => {
    const farm = await farmFixture()
    await expect(give(farm, 'x', text)).rejects.toMatchObject({ code: 'TEXT_EMPTY', message: 'x holds no line of text' })
    expect(farm.ledger.totals().texts).toBe(0)
  })

  test('100 MB without a line end are refused long before their end', async () => {
    const farm = await farmFixture()
    let given = 0
    const endless = async function* (): AsyncGenerator<Uint8Array> {
      for (; given < 100e6; given += 65_536) yield Buffer.alloc(65_536, '天')
    }
    await expect(farm.taker.take({ name: 'x' }, endless())).rejects.toMatchObject({
      code: 'TEXT_LINE_TOO_LONG',
      message: expect.stringMatching(/line 1 of x/),
    })
    expect(given).toBeLessThan(3 * SEGMENT_BYTES)
  })

  test('a wrong byte far behind: what came before is taken, and a mended text goes on there', async () => {
    const farm = await farmFixture()
    const good = longText(3)
    const bad = bytesOf(good)
    const place = bad.length - 1_000
    bad[place] = 0xff
    const refused = farm.taker.take({ name: 'x' }, inPieces(bad, [65_536]))
    await expect(refused).rejects.toMatchObject({
      code: 'TEXT_NOT_UTF8',
      message: expect.stringMatching(new RegExp(`^x is not UTF-8: at byte offset \\d+, in line \\d+; the [\\d,]+ lines before it are taken$`)),
    })
    const held = farm.ledger.list(1)[0]!
    expect(held.lines).toBeGreaterThan(0)
    expect(await give(farm, 'x', good)).toMatchObject({ known: held.lines, text: { whole: true } })
  })

  test('a disk that gets full stops the text, and keeps what came', async () => {
    let free = 2 ** 40
    const farm = await farmFixture(1, () => free)
    await give(farm, 'small', '天地\n')
    free = 2 ** 20
    await expect(give(farm, 'x', longText(1))).rejects.toMatchObject({ code: 'DISK_FULL', hint: expect.stringMatching(/goes on/) })
    free = 2 ** 40
    expect(await give(farm, 'x', longText(1))).toMatchObject({ known: 0, text: { whole: true } })
  })

  test('one name comes in once at a time', async () => {
    const farm = await farmFixture()
    const first = give(farm, 'x', longText(2))
    await expect(give(farm, 'x', '天\n')).rejects.toMatchObject({ code: 'TEXT_BUSY' })
    await first
    await give(farm, 'x', '天\n')
  })

  test('any name is a name', async () => {
    const farm = await farmFixture()
    expect((await give(farm, '\u001B[2J/etc/passwd\n', '天\n')).text.name).toBe('_[2J/etc/passwd')
  })
})
