import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PUBLISHED, STABLE } from '../step.ts'
import { renderFault } from './fault.ts'
import { parseProgram, parseProgramJson } from './parse-program.ts'
import { MAX_OPS, MAX_PROGRAM_BYTES, type Program } from './program.ts'

const WHOLE = `version: 1
name: moon
parameters:
  alpha: 0.1
  max_steps: 40
outputs: {top: 5, include_cover: true, energy: ends}
program:
  - reset
  - cover: 床前明月光
  - teacher: 疑是地上霜
  - converge:
      lambda: 0.9
      tolerance: 0
  - feedback
  - feedback: both
  - teacher: none
  - load_particles: [own, 123456, 1234e567]
  - load_particles: {layers: [consensus, parents: 3], weigh: likeness, into: teacher}
  - converge
`

/** One line per fault, as people see them. */
function faultsOf(source: string): string[] {
  const parsed = parseProgram(source)
  return 'faults' in parsed ? parsed.faults.map((fault) => renderFault(fault, 'poem.yml')) : []
}

function parsed(source: string): { program: Program; json: unknown } {
  const result = parseProgram(source)
  if ('faults' in result) throw new Error(renderFault(result.faults[0]!, 'poem.yml'))
  return result
}

const program = (...ops: string[]): string => `version: 1\nprogram:\n${ops.map((op) => `  - ${op}\n`).join('')}`

test('a program with everything in it', () => {
  const { ops, ...rest } = parsed(WHOLE).program
  expect(rest).toEqual({ version: 1, name: 'moon', profile: 'stable', outputs: { top: 5, includeCover: true, energy: 'ends' } })
  expect(ops).toEqual([
    { op: 'reset', at: { line: 8, column: 5 } },
    { op: 'cover', text: '床前明月光', at: { line: 9, column: 5 } },
    { op: 'teacher', text: '疑是地上霜', at: { line: 10, column: 5 } },
    {
      op: 'converge',
      rule: { profile: 'stable', params: { ...STABLE, alpha: 0.1, lambda: 0.9 } },
      maxSteps: 40,
      tolerance: 0,
      at: { line: 11, column: 5 },
    },
    { op: 'feedback', into: 'start', at: { line: 14, column: 5 } },
    { op: 'feedback', into: 'both', at: { line: 15, column: 5 } },
    { op: 'teacher', text: undefined, at: { line: 16, column: 5 } },
    {
      op: 'load_particles',
      layers: [{ kind: 'own' }, { kind: 'layer', prefix: '123456' }, { kind: 'layer', prefix: '1234e567' }],
      weigh: 'equal',
      into: 'start',
      at: { line: 17, column: 5 },
    },
    {
      op: 'load_particles',
      layers: [{ kind: 'consensus' }, { kind: 'parents', count: 3 }],
      weigh: 'likeness',
      into: 'teacher',
      at: { line: 18, column: 5 },
    },
    { op: 'converge', rule: { profile: 'stable', params: { ...STABLE, alpha: 0.1 } }, maxSteps: 40, tolerance: 1e-3, at: { line: 19, column: 5 } },
  ])
})

test('the same program comes out of the JSON that is sent for it', () => {
  const { program, json } = parsed(WHOLE)
  const again = parseProgramJson(JSON.parse(JSON.stringify(json)))
  expect(again).toEqual({ program: { ...program, ops: program.ops.map((op) => ({ ...op, at: undefined })) } })
})

test('the published profile has its own defaults and its own teacher', () => {
  const { ops } = parsed('version: 1\nparameters: {profile: published, teacher: raw}\nprogram: [converge]').program
  expect(ops[0]).toMatchObject({ rule: { profile: 'published', params: { ...PUBLISHED, teacher: 'raw' } } })
})

describe('a fault names file, line, column, op and what was expected', () => {
  test.each([
    ['program:\n- converge:\n    max_steps: many\n', `poem.yml:4:5: converge.max_steps must be a whole number from 1 to 10000, not "many"`],
    ['program:\n- converge: {max_steps: 0.5}\n', 'poem.yml:3:14: converge.max_steps must be a whole number from 1 to 10000, not 0.5'],
    ['program:\n- converge: {tolerence: 1}\n', 'poem.yml:3:14: converge has no field "tolerence"; did you mean tolerance?'],
    ['program: [convrege]\n', 'poem.yml:2:11: there is no op "convrege"; did you mean converge?'],
    ['program: [sing]\n', 'poem.yml:2:11: there is no op "sing"; the ops are reset, cover, teacher, converge, feedback and load_particles'],
    ['program:\n- {cover: 天, reset: }\n', 'poem.yml:3:3: an op has one name; this one has "cover" and "reset"'],
    ['program: [cover: 12]\n', 'poem.yml:2:11: cover must be text, not 12; put it in quotes'],
    ['program: [cover: " "]\n', 'poem.yml:2:11: cover must be text, and this one is empty'],
    ['program: [reset: 1]\n', 'poem.yml:2:11: reset takes nothing, not 1'],
    ['program: [feedback]\n', 'poem.yml:2:11: feedback needs the result of a converge since the last reset, and there is none before it'],
    [
      'program: [converge, reset, feedback]\n',
      'poem.yml:2:28: feedback needs the result of a converge since the last reset, and there is none before it',
    ],
    ['program: [converge, feedback: strat]\n', 'poem.yml:2:21: feedback must be start, teacher or both, not "strat"; did you mean start?'],
    [
      'program:\n- load_particles: [owm]\n',
      'poem.yml:3:20: load_particles: a layer is own, consensus, {parents: 3} or 6 to 64 hex digits of its id, not "owm"',
    ],
    ['program:\n- load_particles: [{parents: 65}]\n', 'poem.yml:3:21: load_particles.parents must be a whole number from 1 to 64, not 65'],
    ['program:\n- load_particles: {into: start}\n', 'poem.yml:3:3: load_particles needs layers: a list of own, consensus, {parents: 3} or layer ids'],
    ['program:\n- load_particles: []\n', 'poem.yml:3:3: load_particles must be a list of 1 to 64 layers, not a list of 0'],
    ['program: []\n', 'poem.yml:2:1: program must be a list of ops, not an empty one'],
    ['program: reset\n', 'poem.yml:2:1: program must be a list of ops, not "reset"'],
    ['parameters: {alpha: .nan}\nprogram: [converge]\n', 'poem.yml:2:14: parameters.alpha must be a number from 0 to 1, not .nan'],
    [
      'parameters:\n  alpha: 0.5\nprogram: [converge]\n',
      'poem.yml:2:1: parameters: the stable profile needs lambda > alpha + beta, and 0.6 is not above 0.5 + 0.15',
    ],
    [
      'program:\n- converge: {lambda: 0.3}\n',
      'poem.yml:3:3: converge: the stable profile needs lambda > alpha + beta, and 0.3 is not above 0.2 + 0.15',
    ],
    ['program:\n- converge: {teacher: raw}\n', 'poem.yml:3:3: converge.teacher is of the published profile; this program is stable'],
    [
      'parameters: {profile: published}\nprogram:\n- converge: {lambda: 1}\n',
      'poem.yml:4:3: converge.lambda is of the stable profile; this program is published',
    ],
    ['outputs: {top: 201}\nprogram: [reset]\n', 'poem.yml:2:11: outputs.top must be a whole number from 0 to 200, not 201'],
    ['outputs: {energy: step}\nprogram: [reset]\n', 'poem.yml:2:11: outputs.energy must be steps, ends or none, not "step"; did you mean steps?'],
    ['name: 7\nprogram: [reset]\n', 'poem.yml:2:1: name must be text, not 7; put it in quotes'],
    ['version: 1\nprogram: [reset]\n', 'poem.yml:2:1: "version" is here a second time; the first is on line 1'],
    ['program:\n- converge: {alpha: 0.1, alpha: 0.1}\n', 'poem.yml:3:26: "alpha" is here a second time; the first is on line 3'],
    ['__proto__: 1\nprogram: [reset]\n', 'poem.yml:2:1: a program has no field "__proto__"; it has version, name, parameters, outputs and program'],
  ])('%j', (source, sentence) => {
    expect(faultsOf(`version: 1\n${source}`)).toEqual([sentence])
  })

  test('a program without a version, with another, with none of its parts', () => {
    expect(faultsOf('program: [reset]')).toEqual(['poem.yml:1:1: a program begins with version: 1'])
    expect(faultsOf('version: "1"\nprogram: [reset]')).toEqual(['poem.yml:1:1: version must be 1, not "1"'])
    expect(faultsOf('')).toEqual(['poem.yml: a program must be a map of version, name, parameters, outputs and program, not nothing'])
    expect(faultsOf('床前明月光')).toEqual([
      'poem.yml:1:1: a program must be a map of version, name, parameters, outputs and program, not "床前明月光"',
    ])
  })

  test('all faults at once, in the order of the source, twenty at most', () => {
    const found = faultsOf(program('covr: 天', 'converge: {beta: 2, alpha: 2}', 'feedback: none'))
    expect(found.map((fault) => fault.slice(0, 14))).toEqual(['poem.yml:3:5: ', 'poem.yml:4:16:', 'poem.yml:4:25:', 'poem.yml:5:5: '])
    expect(faultsOf(program(...Array.from({ length: 50 }, () => 'sing')))).toHaveLength(20)
  })

  test('from JSON there are paths instead', () => {
    const result = parseProgramJson({ version: 1, program: ['reset', { converge: { max_steps: 'many' } }] })
    expect('faults' in result && renderFault(result.faults[0]!, 'request')).toBe(
      'request: program[1].converge.max_steps: converge.max_steps must be a whole number from 1 to 10000, not "many"',
    )
  })
})

describe('hostile sources are refused with one sentence, soon and in bounded memory', () => {
  test.each([
    ['anchors', 'a: &a [lol, lol]\nb: [*a, *a]', /poem\.yml:1:7: &a: anchors and aliases are no part/],
    ['an alias alone', 'version: *a', /Unresolved alias|anchors and aliases are no part/],
    ['500,000 brackets', '['.repeat(500_000), /nested more than 32 deep/],
    ['500,000 dashes', '- '.repeat(500_000), /nested more than 32 deep/],
    ['200,000 maps in maps', '{a: '.repeat(200_000), /nested more than 32 deep/],
    ['more than a MiB', `##${'人'.repeat(MAX_PROGRAM_BYTES / 3)}`, /larger than 1 MiB/],
    ['more ops than it may have', program(...Array.from({ length: MAX_OPS + 1 }, () => 'reset')), /program has 10001 ops; 10000 are the most/],
    ['a million signs', '! '.repeat(2 ** 19), /more than 600000 words and signs/],
    ['a second document', 'version: 1\nprogram: [reset]\n---\nversion: 1\n', /poem\.yml:4:1: a file holds one program/],
    ['another YAML', '%YAML 1.1\n---\nversion: 1\n', /directives/],
    ['a tag', 'version: !!js/function 1', /this is not YAML: Unresolved tag/],
    ['a known tag', 'version: !!int 1', /poem\.yml:1:16: tags/],
    ['a list as key', '[a, b]: 1', /keys must be strings/],
    ['an open quote', `a: "${'b\n'.repeat(1_000)}`, /this is not YAML: Missing closing "quote/],
    ['noughts', '\0\0\0', /a program must be a map/],
    [
      'more to report than allowed',
      `outputs: {top: 200}\n${program(...Array.from({ length: 600 }, () => 'reset'))}`,
      /more than 100000 characters to report/,
    ],
  ])('%s', (_name, source, sentence) => {
    const found = faultsOf(source)
    expect(found).toHaveLength(1)
    expect(found[0]).toMatch(sentence)
    expect(found[0]).not.toContain('\n')
  })

  test('as many ops as it may have are read', () => {
    expect(parsed(program(...Array.from({ length: MAX_OPS }, () => 'reset'))).program.ops).toHaveLength(MAX_OPS)
  })

  test('JSON that is too deep or too wide', () => {
    let deep: unknown = 1
    for (let i = 0; i < 100; i++) deep = [deep]
    expect(parseProgramJson(deep)).toMatchObject({ faults: [{ message: 'the document is nested more than 32 deep' }] })
    expect(parseProgramJson(Array.from({ length: 300_001 }, () => 0))).toMatchObject({
      faults: [{ message: 'the document has more than 300000 parts' }],
    })
  })

  test('no source and no value makes it throw', () => {
    const word = fc.constantFrom(
      'version',
      ': ',
      '1',
      '\n',
      '  ',
      '- ',
      'program',
      'converge',
      '{',
      '}',
      '[',
      ']',
      '"',
      "'",
      '|',
      '>',
      '&a',
      '*a',
      '!t',
      '天',
      '#',
      '?',
      ',',
      '%',
      '---',
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(word, { maxLength: 40 }).map((words) => words.join('')),
        ),
        (source) => {
          expect(() => parseProgram(source)).not.toThrow()
        },
      ),
      { numRuns: 500 },
    )
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const result = parseProgramJson(value)
        expect('faults' in result && result.faults.length > 0).toBe(true)
      }),
    )
  })
})
