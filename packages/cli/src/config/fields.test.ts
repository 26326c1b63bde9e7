import { type Config, configSchema, type PartialConfig } from '@sgsd/daemon'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { configOfEnvironment, environmentName } from './environment.ts'
import { fieldConfig, fieldOf, fieldsOf, mergeOverrides, parseValue, renderValue, requireField } from './fields.ts'

const defaults: Config = configSchema.parse({})
const fields = fieldsOf(defaults)

describe('configuration fields', () => {
  test('put together again they are the whole configuration', () => {
    const rebuilt = [...fields].reduce<PartialConfig>((config, [field, value]) => mergeOverrides(config, fieldConfig(field, value)), {})
    expect(rebuilt).toEqual(defaults)
    expect([...fields.keys()]).toEqual(expect.arrayContaining(['name', 'listen', 'mine.threads', 'farm.auto', 'log.level']))
  })

  test.each([...fields.keys()].map((field) => [field]))('%s: reading what is written gives it back, and the schema takes it', (field) => {
    const value = fieldOf(defaults, field)!
    expect(parseValue(fields, field, renderValue(value))).toEqual(value)
    expect(configSchema.safeParse(fieldConfig(field, value)).success).toBe(true)
  })

  test.each([
    ['mine.threads', 'many'],
    ['mine.threads', '-1'],
    ['mine.threads', ''],
    ['mdns', 'perhaps'],
  ])('%s = %j is refused as usage', (field, text) => {
    expect(() => parseValue(fields, field, text)).toThrow(expect.objectContaining({ exitCode: 2 }))
  })

  test.each(['mine', 'mine.thread', 'toString', '', '__proto__'])('there is no field %j', (text) => {
    expect(() => requireField(fields, text)).toThrow(expect.objectContaining({ exitCode: 2 }))
  })

  test('a value with fields of its own is set as a whole, in JSON', () => {
    const nested = fieldsOf({ ...defaults, farm: { ...defaults.farm, host: { kind: 'next-line' } } })
    const value = parseValue(nested, 'farm.host', ' {"kind": "stdout", "path": "-"}\n')
    expect(value).toEqual({ kind: 'stdout', path: '-' })
    expect(mergeOverrides({ farm: { host: { kind: 'sqlite', path: 'x', wait: true, batch: 1 } } }, fieldConfig('farm.host', value))).toEqual({
      farm: { host: { kind: 'stdout', path: '-' } },
    })
    expect(renderValue(value)).toBe('{"kind":"stdout","path":"-"}')
    for (const text of ['stdout', '', '[]', 'null', '"stdout"', '{"kind":']) {
      expect(() => parseValue(nested, 'farm.host', text)).toThrow(
        expect.objectContaining({ exitCode: 2, message: expect.stringContaining(`must be a JSON object such as '{"kind":"next-line"}'`) as string }),
      )
    }
  })

  test('lists are separated by commas', () => {
    expect(parseValue(fields, 'listen', ' /ip4/1.2.3.4/tcp/1, /ip6/::/tcp/2,')).toEqual(['/ip4/1.2.3.4/tcp/1', '/ip6/::/tcp/2'])
  })
})

describe('overrides', () => {
  test('variables are named after their fields, all differently', () => {
    expect(environmentName('farm.callsPerLayer')).toBe('SGSD_FARM_CALLS_PER_LAYER')
    expect(new Set([...fields.keys()].map(environmentName)).size).toBe(fields.size)
  })

  test('the environment speaks for single fields; an empty variable says nothing', () => {
    const env = { SGSD_MINE_THREADS: '2', SGSD_MINE_AUTO: 'off', SGSD_MDNS: '', HOME: '/x' }
    expect(configOfEnvironment(fields, env)).toEqual({ mine: { threads: 2, auto: false } })
    expect(() => configOfEnvironment(fields, { SGSD_MDNS: 'x' })).toThrow(expect.objectContaining({ exitCode: 2 }))
  })

  test('the later one wins, field by field', () => {
    const setting = fc.tuple(fc.constantFrom('name', 'mdns', 'mine.auto', 'mine.threads', 'log.level'), fc.nat(3))
    fc.assert(
      fc.property(fc.array(setting, { maxLength: 12 }), (settings) => {
        const merged = settings.reduce<PartialConfig>((config, [name, value]) => mergeOverrides(config, fieldConfig(name, value)), {})
        for (const name of fields.keys()) expect(fieldOf(merged, name)).toBe(settings.findLast(([other]) => other === name)?.[1])
      }),
    )
  })
})
