import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { type CommandTree, completionScript, SHELLS } from './completion.ts'

const tree: CommandTree = {
  name: 'sgsd',
  summary: '',
  flags: ['--help'],
  commands: [
    { name: 'status', summary: "who agrees, and who doesn't", flags: ['--watch', '--check'], commands: [] },
    {
      name: 'mine',
      summary: 'mining',
      flags: [],
      commands: [{ name: 'start', summary: 'go', flags: ['--json'], commands: [] }],
    },
  ],
}

/** What bash would offer after these words. */
function offered(...words: string[]): string[] {
  const line = `COMP_WORDS=(sgsd ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}; _sgsd; printf '%s\\n' "\${COMPREPLY[@]}"`
  const ran = spawnSync('bash', ['-c', `${completionScript('bash', tree)}\n${line}`], { encoding: 'utf8', cwd: import.meta.dirname })
  expect(ran.stderr).toBe('')
  return ran.stdout.split('\n').filter((word) => word !== '')
}

describe('completion', () => {
  test('bash offers commands, subcommands and flags where they belong', () => {
    expect(offered('')).toEqual(['status', 'mine', '--help'])
    expect(offered('st')).toEqual(['status'])
    expect(offered('status', '--w')).toEqual(['--watch'])
    expect(offered('mine', '')).toEqual(['start'])
    expect(offered('mine', 'start', '--')).toEqual(['--json'])
    expect(offered('status', '--json', '--c')).toEqual(['--check'])
  })

  test('files stand in where no word fits', () => {
    expect(offered('status', 'completion.te')).toEqual(['completion.test.ts'])
  })

  test.each(SHELLS)('%s: every command and flag is named, quotes are closed', (shell) => {
    const script = completionScript(shell, tree)
    for (const word of ['status', 'mine', 'start', 'watch', 'check', 'json']) expect(script).toContain(word)
    expect((script.replaceAll(String.raw`'\''`, '').match(/'/g) ?? []).length % 2).toBe(0)
  })
})
