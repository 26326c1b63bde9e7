import { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { describeFailure } from '../failure.ts'
import { styleOf } from '../text/style.ts'
import type { CommandResult, ServiceHost } from './host.ts'
import { addServiceCommands } from './index.ts'

const NODE_DIR = '/srv/node'
const UNIT = '/srv/ada/.config/systemd/user/sgsd.service'
const RUNNING = 'LoadState=loaded\nActiveState=active\nUnitFileState=enabled\nMainPID=42\nExecMainStatus=0\n'
const FAILED = 'LoadState=loaded\nActiveState=failed\nUnitFileState=enabled\nMainPID=0\nExecMainStatus=78\n'

interface Machine extends Partial<Pick<ServiceHost, 'platform' | 'uid' | 'script'>> {
  /** Paths that exist. */
  readonly files?: readonly string[]
  readonly owners?: Readonly<Record<string, string>>
  /** Answer of `systemctl show`. */
  readonly shown?: string
  /** Makes commands that contain this word fail. */
  readonly refuses?: string
}

/** Runs `sgsd service …` on a machine that is only described. */
async function sgsd(machine: Machine, ...words: readonly string[]) {
  const files = new Map<string, string>((machine.files ?? ['/run/systemd/system', `${NODE_DIR}/genesis.bin`]).map((path) => [path, '']))
  const ran: string[] = []
  const out: string[] = []
  const notes: string[] = []
  const host: ServiceHost = {
    platform: machine.platform ?? 'linux',
    uid: machine.uid ?? 1000,
    home: '/srv/ada',
    env: {},
    node: '/usr/bin/node',
    nodeOptions: ['--inspect=9229'],
    settleMs: 0,
    script: machine.script ?? '/usr/lib/sgsd/main.js',
    run: async (argv): Promise<CommandResult> => {
      ran.push(argv.join(' '))
      if (machine.refuses !== undefined && argv.includes(machine.refuses)) return { status: 1, stdout: '', stderr: 'Failed to connect to bus\n' }
      return { status: 0, stdout: argv.includes('show') ? (machine.shown ?? RUNNING) : '', stderr: '' }
    },
    exists: (path) => files.has(path),
    ownerOf: async (path) => machine.owners?.[path],
    groups: async () => ['root', 'video', 'audio'],
    write: async (path, content) => void files.set(path, content),
    remove: async (path) => void files.delete(path),
  }
  const context: Context = {
    terminal: {
      env: {},
      out: styleOf(0),
      err: styleOf(0),
      outLive: false,
      errLive: false,
      columns: () => 100,
      rows: () => 24,
      print: (line) => void out.push(line),
      note: (line) => void notes.push(line),
      writeOut: () => {},
      writeErr: () => {},
      readInput: async () => '',
      inputBytes: async function* () {},
    },
    edges: {
      daemon: async () => ({ dataDir: (root: string) => ({ genesis: `${root}/genesis.bin` }), defaultDataDir: () => '/srv/ada/sgsd' }) as never,
      colours: () => Promise.reject(new Error('not for services')),
      joins: () => Promise.reject(new Error('not for services')),
      lattice: () => Promise.reject(new Error('not for services')),
      games: () => Promise.reject(new Error('not for services')),
    },
    signal: new AbortController().signal,
    version: '0.1.0',
    exitCode: EXIT.ok,
  }
  const program = new Command('sgsd').exitOverride()
  addServiceCommands(program, context, host)
  const failure = await program.parseAsync(['service', ...words], { from: 'user' }).then(() => undefined, describeFailure)
  return { files, ran, out, notes, failure, exitCode: failure?.exitCode ?? context.exitCode }
}

describe('install', () => {
  test('writes the unit, then puts it into force, then says whether it runs', async () => {
    const done = await sgsd({}, 'install', '--data-dir', NODE_DIR)
    expect(done.failure).toBeUndefined()
    expect(done.files.get(UNIT)).toContain(`ExecStart=/usr/bin/node /usr/lib/sgsd/main.js up --data-dir ${NODE_DIR}\n`)
    expect(done.ran.slice(0, 3)).toEqual([
      'systemctl --user daemon-reload',
      'systemctl --user enable sgsd.service',
      'systemctl --user restart sgsd.service',
    ])
    expect(done.out.join('\n')).toContain('active, process 42')
    expect(done.notes.join('\n')).toContain('enable-linger')
  })

  test('a daemon that ends at once is a failure that names the log, with exit 78 for bad configuration', async () => {
    const done = await sgsd({ shown: FAILED }, 'install', '--data-dir', NODE_DIR)
    expect(done.failure).toMatchObject({ code: 'NOT_RUNNING', exitCode: EXIT.configuration, hint: 'journalctl --user -u sgsd -n 20' })
    expect(done.failure?.message).toContain('last exit 78')
  })

  test('a dry run touches nothing, and needs neither systemd nor a node', async () => {
    const done = await sgsd({ files: [] }, 'install', '--dry-run', '--data-dir', NODE_DIR)
    expect(done.failure).toBeUndefined()
    expect([...done.files.keys(), ...done.ran]).toEqual([])
    expect(done.out.join('\n')).toContain('[Service]')
    expect(done.notes).toContain('would run systemctl --user enable sgsd.service')
  })

  test('as JSON, one document', async () => {
    const done = await sgsd({}, 'install', '--dry-run', '--json', '--data-dir', NODE_DIR)
    expect(done.out).toHaveLength(1)
    expect(JSON.parse(done.out[0] ?? '')).toMatchObject({
      schema: 'sgsd.service/1',
      action: 'install',
      manager: 'systemd',
      scope: 'user',
      path: UNIT,
      dryRun: true,
      dataDir: NODE_DIR,
    })
  })

  test('root gets the system service, with an account that systemd makes and the groups that there are', async () => {
    const done = await sgsd({ uid: 0 }, 'install', '--dry-run')
    expect(done.out.join('\n')).toContain('DynamicUser=yes')
    expect(done.out.join('\n')).toContain('SupplementaryGroups=video\n')
    expect(done.out.join('\n')).toContain('ExecStart=/usr/bin/node /usr/lib/sgsd/main.js up\n')
  })

  test.each([
    ['no systemd', { files: [`${NODE_DIR}/genesis.bin`] }, ['--data-dir', NODE_DIR], 'NO_SERVICE_MANAGER', EXIT.failure, 'systemd does not run'],
    ['no node in the data directory', { files: ['/run/systemd/system'] }, ['--data-dir', NODE_DIR], 'NO_MESH', EXIT.configuration, 'holds no node'],
    [
      'the system service without root',
      { owners: { [NODE_DIR]: 'ada' } },
      ['--system', '--data-dir', NODE_DIR],
      'NOT_PERMITTED',
      EXIT.notPermitted,
      'root',
    ],
    ['both scopes', {}, ['--system', '--user'], 'USAGE', EXIT.usage, 'exclude'],
    ['a path with a line break', {}, ['--data-dir', '/srv/a\nUser=root'], 'USAGE', EXIT.usage, 'control characters'],
    [
      'a data directory of root',
      { uid: 0, owners: { [NODE_DIR]: 'root' } },
      ['--data-dir', NODE_DIR],
      'ROOT_OWNED',
      EXIT.configuration,
      'belongs to root',
    ],
    ['a data directory that is not there', { uid: 0 }, ['--data-dir', NODE_DIR], 'NO_DATA_DIR', EXIT.configuration, 'does not exist'],
    [
      'a program in a home directory',
      { uid: 0, script: ['', 'home', 'ada', 'sgsd.js'].join('/') },
      [],
      'PROGRAM_IN_HOME',
      EXIT.configuration,
      'home directory',
    ],
    ['another platform', { platform: 'win32' }, [], 'NO_SERVICE_MANAGER', EXIT.failure, 'win32'],
    ['a manager that refuses', { refuses: 'enable' }, ['--data-dir', NODE_DIR], 'MANAGER_REFUSED', EXIT.failure, 'Failed to connect to bus'],
  ] as const satisfies readonly (readonly [string, Machine, readonly string[], string, number, string])[])(
    'refuses %s, in one line',
    async (_, machine, flags, code, exitCode, words) => {
      const done = await sgsd(machine, 'install', ...flags)
      expect(done.failure).toMatchObject({ code, exitCode })
      expect(done.failure?.message).toContain(words)
    },
  )

  test('a checkout is started by the link to its own Node, which outlives updates', async () => {
    const machine = { script: '/srv/sgsd/packages/cli/src/main.ts', files: ['/srv/sgsd/node_modules/.bin/node'] }
    expect((await sgsd(machine, 'install', '--dry-run')).out.join('\n')).toContain(
      'ExecStart=/srv/sgsd/node_modules/.bin/node /srv/sgsd/packages/cli/src/main.ts up',
    )
  })
})

describe('uninstall', () => {
  test('stops, removes the unit and keeps the data', async () => {
    const done = await sgsd({ files: ['/run/systemd/system', UNIT, `${NODE_DIR}/genesis.bin`] }, 'uninstall')
    expect(done.failure).toBeUndefined()
    expect(done.ran).toEqual([
      'systemctl --user disable --now sgsd.service',
      'systemctl --user reset-failed sgsd.service',
      'systemctl --user daemon-reload',
    ])
    expect([...done.files.keys()]).toEqual(['/run/systemd/system', `${NODE_DIR}/genesis.bin`])
  })

  test('is content when there is nothing', async () => {
    const done = await sgsd({}, 'uninstall')
    expect([done.exitCode, done.ran]).toEqual([EXIT.ok, []])
  })
})

describe('status', () => {
  test('exits 0 while it runs and 3 when it does not', async () => {
    expect((await sgsd({ files: ['/run/systemd/system', UNIT] }, 'status')).exitCode).toBe(EXIT.ok)
    const failed = await sgsd({ files: ['/run/systemd/system', UNIT], shown: FAILED }, 'status', '--json')
    expect(failed.exitCode).toBe(EXIT.notRunning)
    expect(JSON.parse(failed.out[0] ?? '')).toMatchObject({ installed: true, running: false, state: 'failed', lastExit: 78 })
  })

  test('asks launchd on a Mac', async () => {
    const done = await sgsd({ platform: 'darwin', uid: 501, refuses: 'print' }, 'status')
    expect(done.ran).toEqual(['launchctl print gui/501/com.sgsd.daemon'])
    expect([done.exitCode, done.out]).toEqual([EXIT.notRunning, ['no user service is installed']])
  })
})
