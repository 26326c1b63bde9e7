import { type Config, configSchema, type PartialConfig } from '@sgsd/daemon'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CONFIG_FIELD_NAMES, type ConfigField, fieldConfig, fieldOf, parseField, parseValue, renderValue } from './fields.ts'
import { configOfEnvironment, environmentName, mergeOverrides } from './overrides.ts'

/** Every leaf of the defaults, by dotted name. */
function leaves(config: object, path: readonly string[] = []): string[] {
  return Object.entries(config).flatMap(([key, value]) =>
    typeof value === 'object' && value !== null && !Array.isArray(value) ? leaves(value as object, [...path, key]) : [[...path, key].join('.')],
  )
}

const whole: Config = configSchema.parse({})

describe('configuration fields', () => {
  test('are exactly those of the schema', () => {
    expect([...CONFIG_FIELD_NAMES].sort()).toEqual(leaves(whole).sort())
  })

  test.each(CONFIG_FIELD_NAMES.map((field) => [field]))('%s: reading what is written gives it back, and the schema takes it', (field) => {
    const value = fieldOf(whole, field)!
    expect(parseValue(field, renderValue(value))).toEqual(value)
    expect(configSchema.safeParse(fieldConfig(field, value)).success).toBe(true)
  })

  test.each([
    ['mine.threads', 'many'],
    ['mine.threads', '-1'],
    ['mdns', 'perhaps'],
  ] as const)('%s = %s is refused as usage', (field, text) => {
    expect(() => parseValue(field, text)).toThrow(expect.objectContaining({ exitCode: 2 }))
  })

  test.each(['mine', 'mine.thread', 'toString', '', '__proto__'])('there is no field %j', (text) => {
    expect(() => parseField(text)).toThrow(expect.objectContaining({ exitCode: 2 }))
  })

  test('lists are separated by commas', () => {
    expect(parseValue('listen', ' /ip4/1.2.3.4/tcp/1, /ip6/::/tcp/2,')).toEqual(['/ip4/1.2.3.4/tcp/1', '/ip6/::/tcp/2'])
  })
})

describe('overrides', () => {
  test('variables are named after their fields, all differently', () => {
    expect(environmentName('farm.linesPerLayer')).toBe('SGSD_FARM_LINES_PER_LAYER')
    expect(new Set(CONFIG_FIELD_NAMES.map(environmentName)).size).toBe(CONFIG_FIELD_NAMES.length)
  })

  test('the environment speaks for single fields; an empty variable says nothing', () => {
    expect(configOfEnvironment({ SGSD_MINE_THREADS: '2', SGSD_MINE_AUTO: 'off', SGSD_MDNS: '', HOME: '/x' })).toEqual({
      mine: { threads: 2, auto: false },
    })
    expect(() => configOfEnvironment({ SGSD_MDNS: 'x' })).toThrow(expect.objectContaining({ exitCode: 2 }))
  })

  test('the later one wins, field by field', () => {
    const field = fc.constantFrom<ConfigField>('name', 'mdns', 'mine.auto', 'mine.threads', 'log.level')
    const setting = fc.tuple(field, fc.nat(3))
    fc.assert(
      fc.property(fc.array(setting, { maxLength: 12 }), (settings) => {
        const merged = settings.reduce<PartialConfig>((config, [name, value]) => mergeOverrides(config, fieldConfig(name, value)), {})
        for (const name of CONFIG_FIELD_NAMES) expect(fieldOf(merged, name)).toBe(settings.findLast(([other]) => other === name)?.[1])
      }),
    )
  })
})
