import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MAX_PICKLE_BYTES } from './limits.ts'
import { Global, type Made, type Pickled, PickledDict, PickledList, PickledTuple, type PickleMeaning, readPickle } from './pickle-read.ts'
import { PickleWriter } from './pickle-write.ts'

/** Takes one global, and remembers what it was asked to do. */
class Meaning implements PickleMeaning<never> {
  readonly globals: ReadonlySet<string> = new Set(['collections.OrderedDict'])
  readonly asked: string[] = []

  call(name: string): Made<never> {
    this.asked.push(name)
    return { value: new PickledDict() }
  }

  persistent(id: Pickled<never>): Made<never> {
    this.asked.push('persistent')
    return { value: id }
  }
}

const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0))
const read = (text: string): ReturnType<typeof readPickle<never>> => readPickle(bytesOf(text), new Meaning())

describe('a pickle', () => {
  test.each([
    ['None', '\x80\x02N.', null],
    ['a negative number', '\x80\x02J\xfb\xff\xff\xff.', -5],
    ['a long', '\x80\x02\x8a\x06\x00\x00\x00\x00\x00\x01.', 2 ** 40],
    ['an empty long', '\x80\x02\x8a\x00.', 0],
    ['a text', '\x80\x02X\x03\x00\x00\x00W\xcf\x84.', 'Wτ'],
    ['what was kept', '\x80\x02K\x07q\x03h\x03\x86.', new PickledTuple([7, 7])],
    ['kept by a long place', '\x80\x02K\x07r\x00\x01\x00\x00\x85.', new PickledTuple([7])],
  ])('%s', (_, text, value) => {
    expect(read(text)).toEqual({ type: 'accept', value })
  })

  test('lists and dictionaries fill up in any of their ways', () => {
    const list = read('\x80\x02]K\x01a(K\x02K\x03e.')
    expect(list.type === 'accept' && list.value instanceof PickledList && list.value.items).toEqual([1, 2, 3])
    const dict = read('\x80\x02}X\x01\x00\x00\x00aK\x01s(X\x01\x00\x00\x00bK\x02u.')
    expect(dict.type === 'accept' && dict.value instanceof PickledDict && [...dict.value.entries]).toEqual([
      ['a', 1],
      ['b', 2],
    ])
  })

  test('numbers that the writer writes come back', () => {
    fc.assert(
      fc.property(fc.nat(Number.MAX_SAFE_INTEGER), (value) => {
        expect(readPickle(new PickleWriter().int(value).stop(), new Meaning())).toEqual({ type: 'accept', value })
      }),
    )
  })

  test('that holds itself ends', () => {
    expect(read('\x80\x02]q\x00h\x00a.').type).toBe('accept')
  })
})

describe('refused, and nothing is asked of anybody', () => {
  // every way to run `os.system` that pickles know
  test.each([
    ['GLOBAL and REDUCE', '\x80\x02cposix\nsystem\nX\x02\x00\x00\x00id\x85R.'],
    ['builtins.eval', '\x80\x02c__builtin__\neval\nX\x01\x00\x00\x001\x85R.'],
    ['a name with a dot', '\x80\x02ccollections\nOrderedDict.__init__.__globals__\n)R.'],
    ['a global cut otherwise', '\x80\x02c\ncollections.OrderedDict\n)R.'],
    ['STACK_GLOBAL', '\x80\x02X\x05\x00\x00\x00posixX\x06\x00\x00\x00system\x93X\x02\x00\x00\x00id\x85R.'],
    ['STACK_GLOBAL of protocol 4', '\x80\x04\x95\x1a\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x8c\x06system\x93\x8c\x02id\x85R.'],
    ['INST', '\x80\x02(X\x02\x00\x00\x00idiposix\nsystem\n.'],
    ['OBJ', '\x80\x02(cposix\nsystem\nX\x02\x00\x00\x00ido.'],
    ['NEWOBJ', '\x80\x02cposix\nsystem\nX\x02\x00\x00\x00id\x85\x81.'],
    ['NEWOBJ of an allowed global', '\x80\x02ccollections\nOrderedDict\n)\x81.'],
    ['NEWOBJ_EX', '\x80\x02ccollections\nOrderedDict\n)}\x92.'],
    ['BUILD', '\x80\x02ccollections\nOrderedDict\n)R}b.'],
    ['EXT1', '\x80\x02\x82\x01.'],
    ['EXT2', '\x80\x02\x83\x01\x00.'],
    ['EXT4', '\x80\x02\x84\x01\x00\x00\x00.'],
    ['PERSID', '\x80\x02Pid\n.'],
    ['protocol 0', 'cposix\nsystem\n(Vid\ntR.'],
    ['floats', '\x80\x02G\x3f\xf0\x00\x00\x00\x00\x00\x00.'],
    ['bytes', '\x80\x02B\x01\x00\x00\x00a.'],
    ['strings of old', '\x80\x02U\x01a.'],
    ['sets', '\x80\x02\x8f.'],
    ['DUP', '\x80\x02K\x012\x86.'],
    ['POP', '\x80\x02K\x01K\x020.'],
  ])('%s', (_, text) => {
    const meaning = new Meaning()
    expect(readPickle(bytesOf(text), meaning).type).toBe('reject')
    expect(meaning.asked.filter((name) => name !== 'collections.OrderedDict')).toEqual([])
  })

  test.each([
    ['a call of what is no global', '\x80\x02K\x01)R.'],
    ['a call without a tuple', '\x80\x02ccollections\nOrderedDict\nK\x01R.'],
    ['a mark as a value', '\x80\x02(.'],
    ['a mark in a tuple', '\x80\x02(\x85.'],
    ['a memo of nothing', '\x80\x02q\x00.'],
    ['a memo never kept', '\x80\x02h\x09.'],
    ['a tuple without a mark', '\x80\x02K\x01t.'],
    ['a key that is a number', '\x80\x02}K\x01K\x02s.'],
    ['a key without a value', '\x80\x02}(X\x01\x00\x00\x00au.'],
    ['an item for a tuple', '\x80\x02)K\x01a.'],
    ['an entry for a list', '\x80\x02]X\x01\x00\x00\x00aK\x01s.'],
    ['a long of 255 bytes', `\x80\x02\x8a\xff${'\xff'.repeat(255)}.`],
    ['a long past 2^53', '\x80\x02\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f.'],
    ['a text of 4 GiB', '\x80\x02X\xff\xff\xff\xffa.'],
    ['a text that is not UTF-8', '\x80\x02X\x01\x00\x00\x00\xff.'],
    ['a name without an end', '\x80\x02cposix'],
    ['no end', '\x80\x02N'],
    ['bytes behind the end', '\x80\x02N..'],
    ['values left over', '\x80\x02NN.'],
    ['nothing', ''],
  ])('%s', (_, text) => {
    expect(read(text).type).toBe('reject')
  })

  test('one that is too long', () => {
    expect(readPickle(new Uint8Array(MAX_PICKLE_BYTES + 1).fill(0x28), new Meaning()).type).toBe('reject')
  })

  test('marks or values up to the bound take no time', { timeout: 5_000 }, () => {
    for (const fill of [0x28, 0x5d, 0x4e, 0x29]) {
      const bytes = new Uint8Array(MAX_PICKLE_BYTES).fill(fill)
      bytes.set([0x80, 2])
      expect(readPickle(bytes, new Meaning()).type).toBe('reject')
    }
  })

  test('any bytes are read or refused, only listed globals come out, and nothing throws', () => {
    const opcodes = fc.constantFrom(...bytesOf('(N\x88\x89KMJ\x8aXc}])\x85\x86\x87taesuqrhjQR.'))
    const program = fc.array(fc.oneof(opcodes, fc.nat(255), fc.nat(3)), { maxLength: 60 })
    fc.assert(
      fc.property(program, (body) => {
        const verdict = readPickle(Uint8Array.of(0x80, 2, ...body), new Meaning())
        if (verdict.type === 'accept' && verdict.value instanceof Global) expect(verdict.value.name).toBe('collections.OrderedDict')
      }),
      { numRuns: 20_000 },
    )
  })
})
