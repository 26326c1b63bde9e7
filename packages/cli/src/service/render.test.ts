import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { launchdInstall, launchdLogPath, launchdPlistPath, PACKAGED_PLIST, parseLaunchdPrint, renderLaunchdPlist } from './launchd.ts'
import type { ServiceSpec } from './spec.ts'
import { PACKAGED_UNIT, parseSystemdShow, renderSystemdUnit, systemdInstall, systemdUnitPath, unitWord } from './systemd.ts'

const DEPLOY = join(import.meta.dirname, '..', '..', '..', '..', 'deploy')
const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0

const USER: ServiceSpec = {
  scope: 'user',
  command: ['/opt/a b/50% node', '/opt/main.ts'],
  dataDir: '/srv/colour data/50%/$HOME "x"',
  account: undefined,
  deviceGroups: [],
}

function folder(prefix = 'sgsd-unit-'): string {
  const path = mkdtempSync(join(tmpdir(), prefix))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** What systemd's own checker says of the unit with a program that exists, below a folder that needs quoting. */
function verify(spec: ServiceSpec): { readonly status: number | null; readonly output: string } {
  const path = folder('sgsd 50% $HOME unit-')
  const program = join(path, 'sgsd')
  writeFileSync(program, '#!/bin/sh\n')
  chmodSync(program, 0o755)
  const unit = join(path, 'sgsd.service')
  writeFileSync(unit, renderSystemdUnit({ ...spec, command: [program, ...spec.command.slice(1)] }))
  const done = spawnSync('systemd-analyze', ['verify', ...(spec.scope === 'user' ? ['--user'] : []), unit], {
    encoding: 'utf8',
    env: { ...process.env, XDG_RUNTIME_DIR: path },
  })
  const own = (done.stdout + done.stderr).split('\n').filter((line) => line.includes('sgsd.service'))
  return { status: done.status, output: own.join('\n') }
}

describe('the files in deploy/', () => {
  test('are what the code renders', async () => {
    await expect(renderSystemdUnit(PACKAGED_UNIT)).toMatchFileSnapshot(join(DEPLOY, 'sgsd.service'))
    await expect(renderLaunchdPlist(PACKAGED_PLIST, launchdLogPath(PACKAGED_PLIST, ''))).toMatchFileSnapshot(join(DEPLOY, 'com.sgsd.daemon.plist'))
  })

  test.runIf(hasSystemd)('the unit satisfies systemd-analyze verify, and verify would notice a fault', () => {
    expect(verify(PACKAGED_UNIT)).toEqual({ status: 0, output: '' })
    const broken = join(folder(), 'sgsd.service')
    writeFileSync(broken, readFileSync(join(DEPLOY, 'sgsd.service'), 'utf8').replace('KillMode=mixed', 'KillMode=sometimes'))
    expect(spawnSync('systemd-analyze', ['verify', broken], { encoding: 'utf8' }).stderr).toContain('kill mode')
  })

  test.runIf(hasSystemd)('the unit is sandboxed: exposure of at most 2.0', () => {
    const rate = (text: string): number | null => {
      const unit = join(folder(), 'sgsd.service')
      writeFileSync(unit, text)
      return spawnSync('systemd-analyze', ['security', '--offline=true', '--threshold=20', unit]).status
    }
    const text = readFileSync(join(DEPLOY, 'sgsd.service'), 'utf8')
    expect(rate(text)).toBe(0)
    expect(rate(text.replace(/^SystemCallFilter=.*$/gm, ''))).not.toBe(0)
  })

  test('the unit leaves GPUs reachable and JIT possible', () => {
    const text = renderSystemdUnit(PACKAGED_UNIT)
    expect(text).not.toMatch(/^(PrivateDevices|MemoryDenyWriteExecute|ProcSubset)=/m)
    for (const device of ['char-nvidia*', 'char-drm', 'char-kfd']) expect(text).toContain(`DeviceAllow=${device} rw\n`)
  })

  test('the property list is well-formed', () => {
    const path = join(DEPLOY, 'com.sgsd.daemon.plist')
    expect(tagsBalance(readFileSync(path, 'utf8'))).toBe(true)
    // Apple's own checker, on a Mac
    const plutil = spawnSync('plutil', ['-lint', path])
    if (plutil.error === undefined) expect(plutil.status).toBe(0)
  })
})

describe('a unit for one person', () => {
  test('asks for nothing that needs privileges', () => {
    const text = renderSystemdUnit(USER)
    expect(text).not.toMatch(/^(DynamicUser|User|Protect\w+|Private\w+|DeviceAllow|CapabilityBoundingSet|SupplementaryGroups)=/m)
    expect(text).toContain('WantedBy=default.target')
    expect(systemdInstall('user').map(({ argv }) => argv.slice(0, 2))).toEqual([0, 1, 2].map(() => ['systemctl', '--user']))
  })

  test('quotes spaces, percent, dollar and quotation marks', () => {
    expect(renderSystemdUnit(USER)).toContain(
      String.raw`ExecStart="/opt/a b/50%% node" /opt/main.ts up --data-dir "/srv/colour data/50%%/$$HOME \"x\""` + '\n',
    )
  })

  test.runIf(hasSystemd)('satisfies systemd-analyze verify with such paths', () => {
    expect(verify(USER)).toEqual({ status: 0, output: '' })
    expect(verify({ ...USER, scope: 'system', account: 'daemon' })).toEqual({ status: 0, output: '' })
  })

  test('lies where systemd looks for it', () => {
    expect(systemdUnitPath('user', '/srv/ada', {})).toBe('/srv/ada/.config/systemd/user/sgsd.service')
    expect(systemdUnitPath('user', '/srv/ada', { XDG_CONFIG_HOME: '/srv/c' })).toBe('/srv/c/systemd/user/sgsd.service')
    expect(systemdUnitPath('system', '/srv/ada', {})).toBe('/etc/systemd/system/sgsd.service')
  })
})

describe('a system unit with a data directory of its own', () => {
  test('runs as the owner, may write there and nowhere else', () => {
    const text = renderSystemdUnit({ ...PACKAGED_UNIT, dataDir: '/srv/my node', account: 'ada' })
    expect(text).toContain('User=ada\nReadWritePaths="/srv/my node"\n')
    expect(text).toContain('ProtectHome=yes\n')
    expect(text).not.toContain('DynamicUser')
    expect(text).not.toContain('StateDirectory')
  })

  test('sees homes, without writing, when its data lie in one', () => {
    const home = `/${['home', 'ada', 'node'].join('/')}`
    expect(renderSystemdUnit({ ...PACKAGED_UNIT, dataDir: home, account: 'ada' })).toContain('ProtectHome=read-only\n')
  })
})

describe('unit words', () => {
  /** systemd's own reading of one word: unquote, drop backslashes, then expand specifiers and variables. */
  function read(text: string, expandsVariables: boolean): string {
    const unquoted = text.startsWith('"') ? text.slice(1, -1).replaceAll(/\\(.)/g, '$1') : text
    const specified = unquoted.replaceAll('%%', '%')
    return expandsVariables ? specified.replaceAll('$$', '$') : specified
  }

  test('are read back as they were', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, unit: fc.constantFrom('a', ' ', '%', '$', '"', "'", '\\', ';', '世') }),
        fc.boolean(),
        (word, expands) => {
          expect(read(unitWord(word, expands), expands)).toBe(word)
        },
      ),
    )
  })
})

describe('what systemctl show says', () => {
  test('of a running, a failed and an unknown service', () => {
    const running = parseSystemdShow('LoadState=loaded\nActiveState=active\nSubState=running\nUnitFileState=enabled\nMainPID=42\nExecMainStatus=0\n')
    expect(running).toEqual({ loaded: true, enabled: true, running: true, state: 'active', pid: 42, lastExit: null })
    const failed = parseSystemdShow('LoadState=loaded\nActiveState=failed\nSubState=failed\nUnitFileState=enabled\nMainPID=0\nExecMainStatus=78\n')
    expect(failed).toEqual({ loaded: true, enabled: true, running: false, state: 'failed', pid: null, lastExit: 78 })
    const unknown = parseSystemdShow('LoadState=not-found\nActiveState=inactive\nSubState=dead\nUnitFileState=\nMainPID=0\nExecMainStatus=0\n')
    expect(unknown).toEqual({ loaded: false, enabled: false, running: false, state: 'inactive', pid: null, lastExit: null })
  })
})

describe('launchd', () => {
  test('the list escapes XML and survives such paths', () => {
    const text = renderLaunchdPlist({ ...USER, dataDir: '/srv/a & <b>' }, '/srv/log')
    expect(text).toContain('<string>/srv/a &amp; &lt;b&gt;</string>')
    expect(text).not.toContain('UserName')
    expect(tagsBalance(text)).toBe(true)
    expect(tagsBalance(text.replace('</array>', ''))).toBe(false)
  })

  test('a person has an agent, the machine a daemon', () => {
    expect(launchdPlistPath('user', '/srv/ada')).toBe('/srv/ada/Library/LaunchAgents/com.sgsd.daemon.plist')
    expect(launchdPlistPath('system', '/srv/ada')).toBe('/Library/LaunchDaemons/com.sgsd.daemon.plist')
    expect(launchdInstall('user', 501, '/p').at(-1)?.argv).toEqual(['launchctl', 'bootstrap', 'gui/501', '/p'])
    expect(launchdInstall('system', 0, '/p').at(-1)?.argv).toEqual(['launchctl', 'bootstrap', 'system', '/p'])
  })

  test('what launchctl print says', () => {
    const running = 'gui/501/com.sgsd.daemon = {\n\tactive count = 1\n\tstate = running\n\n\tpid = 812\n\tlast exit code = (never exited)\n}\n'
    expect(parseLaunchdPrint(running)).toEqual({ loaded: true, enabled: true, running: true, state: 'running', pid: 812, lastExit: null })
    const stopped = 'gui/501/com.sgsd.daemon = {\n\tstate = not running\n\tlast exit code = 78: EX_CONFIG\n}\n'
    expect(parseLaunchdPrint(stopped)).toEqual({ loaded: true, enabled: true, running: false, state: 'not running', pid: null, lastExit: 78 })
    expect(parseLaunchdPrint(undefined).loaded).toBe(false)
  })
})

/** Every element of the document closes in order. */
function tagsBalance(xml: string): boolean {
  const open: string[] = []
  for (const [, closing, name, empty] of xml.replaceAll(/<!--.*?-->|<[?!][^>]*>/gs, '').matchAll(/<(\/?)(\w+)[^>]*?(\/?)>/g)) {
    if (closing === '/') {
      if (open.pop() !== name) return false
    } else if (empty !== '/' && name !== undefined) open.push(name)
  }
  return open.length === 0
}
