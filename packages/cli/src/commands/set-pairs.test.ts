import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EXIT } from '../exit-code.ts'
import { documentOf, runCommand } from '../fixtures/command-run.ts'
import type { PairsDocument } from '../view/set-pairs.ts'

const LINES = 'the quick brown fox\nthe quick brown fox jumps over a dog\n\nwholly other words\nQuick brown foxes\nbrown fox the quick\n'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sgsd-pairs-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function file(name: string, text: string | Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

describe('sgsd set pairs', () => {
  test('finds which line covers which, best first', async () => {
    const document = await documentOf<PairsDocument>(['set', 'pairs', '-'], { input: LINES })
    expect(document).toMatchObject({ schema: 'sgsd.set-pairs/1', tokens: 'words', unit: 'lines', sets: 5, distinctTokens: 13, found: 4 })
    // the long line covers the short ones, but ρ = 1 is too much
    expect(document.pairs.map(({ a, b, tau, rho, shared }) => [a.line, b.line, tau, rho, shared])).toEqual([
      [1, 6, 1, 0, 4],
      [6, 1, 1, 0, 4],
      [1, 2, 0.5, 0, 4],
      [6, 2, 0.5, 0, 4],
    ])
  })

  test('reads a file, prints a table and how many there are', async () => {
    const { code, out } = await runCommand(['set', 'pairs', file('lines.txt', LINES), '--tau', '0.9'])
    expect(code).toBe(EXIT.ok)
    expect(out.split('\n')).toEqual([
      '  TAU    RHO  SHARED  LINE  A                    LINE  B',
      '1.000  0.000       4     1  the quick brown fox     6  brown fox the quick',
      '1.000  0.000       4     6  brown fox the quick     1  the quick brown fox',
      '2 pairs of 5 lines',
    ])
  })

  test('compares documents by their lines', async () => {
    const text = 'one\ntwo\nthree\n\ntwo\nthree\n\nfour\n'
    const document = await documentOf<PairsDocument>(['set', 'pairs', '-', '--documents', '--tokens', 'lines'], { input: text })
    expect(document.pairs).toEqual([
      { a: { line: 1, size: 3, text: 'one two three' }, b: { line: 5, size: 2, text: 'two three' }, tau: 1, rho: 0.5, shared: 2 },
      { a: { line: 5, size: 2, text: 'two three' }, b: { line: 1, size: 3, text: 'one two three' }, tau: 2 / 3, rho: 0, shared: 2 },
    ])
  })

  test('--top keeps the best of each line, --limit the best of all', async () => {
    const input = Array.from({ length: 9 }, () => '天地玄黃').join('\n')
    const words = ['set', 'pairs', '-', '--tokens', 'chars', '--top', '3', '--limit', '4']
    const document = await documentOf<PairsDocument>(words, { input })
    expect([document.found, document.pairs.map(({ a, b }) => [a.line, b.line])]).toEqual([
      27,
      [
        [1, 2],
        [1, 3],
        [1, 4],
        [2, 1],
      ],
    ])
    expect((await runCommand(words, { input })).out).toMatch(/27 pairs of 9 lines, the best 4 of them here$/)
  })

  test.each(['wasm', 'reference'] as const)('--engine %s finds the same', async (engine) => {
    const found = await documentOf<PairsDocument>(['set', 'pairs', '-', '--engine', engine], { input: LINES })
    expect(found).toEqual({ ...(await documentOf<PairsDocument>(['set', 'pairs', '-'], { input: LINES })), engine })
  })

  test.each([
    [['/nowhere/at/all'], '', /cannot read \/nowhere\/at\/all: there is no such file/],
    [['.'], '', /it is a folder/],
    [['-'], ' \n,,\n', /standard input holds no words/],
    [['-', '--tokens', 'lines'], 'a', /--tokens lines needs --documents/],
    [['-', '--tau', '1.5'], 'a', /a number from 0 to 1 is needed/],
    [['-', '--rho', 'NaN'], 'a', /a number from 0 to/],
    [['-', '--top', '0'], 'a', /a whole number from 1/],
    [['-', '--engine', 'gpu'], 'a', /Allowed choices are native, wasm, reference/],
  ])('refuses %j', async (words, input, why) => {
    const { code, out, err } = await runCommand(['set', 'pairs', ...words], { input })
    expect([code, out]).toEqual([EXIT.usage, ''])
    expect(err).toMatch(why)
  })

  test('refuses a file that is not UTF-8, wherever it stops being so', async () => {
    const path = file('latin1.txt', Buffer.concat([Buffer.from('a b c\n'.repeat(100_000)), Buffer.from([0xe9, 0x20])]))
    const { code, err } = await runCommand(['set', 'pairs', path])
    expect([code, err]).toEqual([EXIT.usage, expect.stringMatching(/latin1\.txt: it is not UTF-8/)])
  })

  test('a Ctrl-C ends it', async () => {
    const { code } = await runCommand(['set', 'pairs', file('again.txt', LINES)], {
      signal: AbortSignal.abort(new DOMException('stop', 'AbortError')),
    })
    expect(code).toBe(EXIT.interrupted)
  })
})
