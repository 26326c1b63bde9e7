import type { Millis } from '@sgsd/consensus'
import { describe, expect, test } from 'vitest'
import { SelfEcho } from './self-echo.ts'

const at = (ms: number): Millis => ms as Millis

describe('meeting our own peer id', () => {
  test('both ends seen here: an own address, no alarm', () => {
    const echo = new SelfEcho()
    echo.met('outbound', 'a', at(0))
    echo.met('inbound', 'b', at(30))
    expect(echo.strangers(at(10_000))).toEqual([])
  })

  test.each(['inbound', 'outbound'] as const)('only the %s end seen here: another machine, told once', (direction) => {
    const echo = new SelfEcho()
    echo.met(direction, 'a', at(0))
    expect(echo.strangers(at(1_000))).toEqual([])
    expect(echo.strangers(at(3_000))).toEqual(['a'])
    expect(echo.strangers(at(4_000))).toEqual([])
  })

  test('an echo does not excuse a second meeting', () => {
    const echo = new SelfEcho()
    echo.met('outbound', 'a', at(0))
    echo.met('inbound', 'b', at(10))
    echo.met('inbound', 'c', at(20))
    expect(echo.strangers(at(5_000))).toEqual(['c'])
  })
})
