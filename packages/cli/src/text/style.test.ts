import { stripVTControlCharacters } from 'node:util'
import { describe, expect, test } from 'vitest'
import { displayWidth } from './display-width.ts'
import { colourDepth, styleOf } from './style.ts'

describe('what a stream can show', () => {
  test.each([
    ['a pipe', {}, false, 0],
    ['a plain terminal', { TERM: 'xterm' }, true, 4],
    ['256 colours', { TERM: 'xterm-256color' }, true, 8],
    ['true colour', { TERM: 'xterm-256color', COLORTERM: 'truecolor' }, true, 24],
    ['TERM=dumb', { TERM: 'dumb', COLORTERM: 'truecolor' }, true, 0],
    ['NO_COLOR', { TERM: 'xterm', NO_COLOR: '1' }, true, 0],
    ['an empty NO_COLOR, which says nothing', { TERM: 'xterm', NO_COLOR: '' }, true, 4],
    ['FORCE_COLOR on a pipe', { FORCE_COLOR: '1' }, false, 4],
    ['FORCE_COLOR=3 against NO_COLOR', { FORCE_COLOR: '3', NO_COLOR: '1' }, false, 24],
    ['FORCE_COLOR=0', { FORCE_COLOR: '0', COLORTERM: 'truecolor' }, true, 0],
  ])('%s', (_, env, isTTY, depth) => {
    expect(colourDepth(env, isTTY)).toBe(depth)
  })
})

describe('style', () => {
  test('without colours nothing is added', () => {
    const style = styleOf(0)
    expect(style.bold(style.red('x'))).toBe('x')
    expect(style.block('3f9c1e07')).toBe('[3f9c1e]')
  })

  test.each([0, 4, 8, 24] as const)('a block is 8 columns and shows its digits at depth %i', (depth) => {
    const block = styleOf(depth).block('3f9c1e07')
    expect(displayWidth(block)).toBe(8)
    expect(stripVTControlCharacters(block)).toContain('3f9c1e')
  })

  test('true colour is the colour itself, with readable digits', () => {
    expect(styleOf(24).block('ffffff')).toContain('48;2;255;255;255;38;5;16')
    expect(styleOf(24).block('000000')).toContain('48;2;0;0;0;38;5;231')
  })

  test.each([
    ['000000', 16],
    ['ffffff', 231],
    ['ff0000', 196],
    ['5f87af', 67],
  ])('%s is entry %i of the 256', (hex, entry) => {
    expect(styleOf(8).block(hex)).toContain(`48;5;${entry};`)
  })
})
