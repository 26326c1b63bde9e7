import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import { expect, test } from 'vitest'
import { checkWordTable, UNICODE_VERSION, unicodeVersion } from '../../../../scripts/build-word-table.ts'
import { ALONE, charClass, EXTEND, OTHER, WORD } from './char-class.ts'
import { WORD_TABLE } from './word-table.generated.ts'

test('the table is the one that was recorded, and what the Unicode files give where they are installed', () => {
  // a change of this digest changes the tokens of texts, and with them the ids of their sets
  expect(bytesToHex(sha256(utf8ToBytes(WORD_TABLE)))).toBe('a3f4be664f84d4ac9f4135a2fe97f63c178bc7eabe4a91049e6094b3906f9dff')
  if (unicodeVersion('/usr/share/unicode') === UNICODE_VERSION) expect(checkWordTable()).toBe(true)
})

test('what it calls a letter, number, connector or mark, this engine does too, which knows Unicode 15 and more', () => {
  for (let codePoint = 0; codePoint < 0x11_0000; codePoint++) {
    const kind = charClass(codePoint)
    const wanted = kind === EXTEND ? /[\p{M}\u200c\u200d]/u : /[\p{L}\p{N}\p{Pc}]/u
    if (kind !== OTHER && !wanted.test(String.fromCodePoint(codePoint))) expect.fail(`U+${codePoint.toString(16)} is of class ${kind}`)
  }
})

test('letters of scripts without spaces stand alone, the others make words', () => {
  const classOf = (character: string): number => charClass(character.codePointAt(0)!)
  for (const character of '人𠀀〇々のฬກကក𗀀') expect(classOf(character), character).toBe(ALONE)
  for (const character of 'aÄж٣한カーא_½') expect(classOf(character), character).toBe(WORD)
  for (const character of ' ,。!\n€😀\ue000\ufffd') expect(classOf(character), character).toBe(OTHER)
})
