import { expect, test } from 'vitest'
import { openLiveRegion, repaint } from './live-region.ts'

test('a picture is drawn over the one before', () => {
  expect(repaint(0, ['a'])).toBe('\ra\u001B[K\n\u001B[J')
  expect(repaint(3, ['a', 'b'])).toBe('\u001B[3A\ra\u001B[K\nb\u001B[K\n\u001B[J')
})

test('the cursor is hidden while drawing and given back once', () => {
  let written = ''
  const region = openLiveRegion(
    (text) => (written += text),
    () => 10,
  )
  region.draw(['a'])
  region.draw(['b'])
  region.end()
  region.end()
  expect(written.split('\u001B[?25l')).toHaveLength(2)
  expect(written.split('\u001B[?25h')).toHaveLength(2)
  expect(written.indexOf('\u001B[?25h')).toBeGreaterThan(written.indexOf('b'))
})

test('a picture higher than the terminal loses its end, so that it can be redrawn', () => {
  let written = ''
  const region = openLiveRegion(
    (text) => (written = text),
    () => 3,
  )
  region.draw(['a', 'b', 'c', 'd'])
  expect(written).not.toContain('c')
  region.draw(['a'])
  expect(written).toContain('\u001B[2A')
})
