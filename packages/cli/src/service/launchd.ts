import { join } from 'node:path'
import { type ManagerCommand, OPEN_FILES, type ServiceScope, type ServiceSpec, type ServiceState, startArguments, STOP_SECONDS } from './spec.ts'

export const LAUNCHD_LABEL = 'com.sgsd.daemon'

/** Where a system service keeps its node when nothing else is said; launchd makes no directory itself. */
export const LAUNCHD_STATE_DIR = '/usr/local/var/sgsd'

/** Least time between two starts, seconds. launchd cannot tell a hopeless exit from a crash, so it must not try in a tight loop. */
const THROTTLE_SECONDS = 30

/** What the property list that is handed to packagers starts. */
export const PACKAGED_PLIST: ServiceSpec = {
  scope: 'system',
  command: ['/usr/local/bin/sgsd'],
  dataDir: LAUNCHD_STATE_DIR,
  account: '_sgsd',
  deviceGroups: [],
}

export function launchdPlistPath(scope: ServiceScope, home: string): string {
  return scope === 'system' ? `/Library/LaunchDaemons/${LAUNCHD_LABEL}.plist` : join(home, 'Library', 'LaunchAgents', `${LAUNCHD_LABEL}.plist`)
}

/** Where the daemon's output goes, launchd having no journal: a place that the account may write to. */
export function launchdLogPath(spec: ServiceSpec, home: string): string {
  return spec.scope === 'system' && spec.dataDir !== undefined ? join(spec.dataDir, 'sgsd.log') : join(home, 'Library', 'Logs', 'sgsd.log')
}

/** What puts the written list into force; one that is loaded already is replaced. */
export function launchdInstall(scope: ServiceScope, uid: number, path: string): readonly ManagerCommand[] {
  const domain = launchdDomain(scope, uid)
  return [
    { argv: ['launchctl', 'bootout', `${domain}/${LAUNCHD_LABEL}`], mayFail: true },
    { argv: ['launchctl', 'enable', `${domain}/${LAUNCHD_LABEL}`] },
    { argv: ['launchctl', 'bootstrap', domain, path] },
  ]
}

export function launchdRemove(scope: ServiceScope, uid: number): readonly ManagerCommand[] {
  return [{ argv: ['launchctl', 'bootout', `${launchdDomain(scope, uid)}/${LAUNCHD_LABEL}`], mayFail: true }]
}

export function launchdShow(scope: ServiceScope, uid: number): readonly [string, ...string[]] {
  return ['launchctl', 'print', `${launchdDomain(scope, uid)}/${LAUNCHD_LABEL}`]
}

/** @param text - what `launchctl print` wrote; undefined when it knows no such service */
export function parseLaunchdPrint(text: string | undefined): ServiceState {
  if (text === undefined) return { loaded: false, enabled: false, running: false, state: 'not loaded', pid: null, lastExit: null }
  const field = (name: string): string | undefined => new RegExp(String.raw`^\s*${name} = (.*)$`, 'm').exec(text)?.[1]?.trim()
  const state = field('state') ?? 'unknown'
  const pid = field('pid')
  const exit = /^-?\d+/.exec(field('last exit code') ?? '')?.[0]
  return {
    loaded: true,
    enabled: true,
    running: state === 'running',
    state,
    pid: pid === undefined ? null : Number(pid),
    lastExit: state === 'running' || exit === undefined ? null : Number(exit),
  }
}

/** The property list, whole. It is started at once and again after every exit that was not asked for. */
export function renderLaunchdPlist(spec: ServiceSpec, logPath: string): string {
  const entries: readonly string[] = [
    entry('Label', string(LAUNCHD_LABEL)),
    entry('ProgramArguments', list('array', startArguments(spec).map(string))),
    ...(spec.account === undefined ? [] : [entry('UserName', string(spec.account))]),
    entry('RunAtLoad', '<true/>'),
    entry('KeepAlive', list('dict', [entry('SuccessfulExit', '<false/>')])),
    entry('ThrottleInterval', integer(THROTTLE_SECONDS)),
    '<!-- a graceful stop takes at most 5 s -->',
    entry('ExitTimeOut', integer(STOP_SECONDS)),
    '<!-- not Background: that would keep it on the slow cores and its reads and writes last -->',
    entry('ProcessType', string('Standard')),
    entry('Nice', integer(5)),
    entry('SoftResourceLimits', list('dict', [entry('NumberOfFiles', integer(OPEN_FILES))])),
    entry('Umask', integer(0o027)),
    entry('StandardOutPath', string(logPath)),
    entry('StandardErrorPath', string(logPath)),
  ]
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">',
    '<plist version="1.0">',
    list('dict', entries),
    '</plist>',
    '',
  ].join('\n')
}

/** Text of an XML element. Control characters, which XML cannot carry, are refused before a service is described. */
export function xmlText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

function launchdDomain(scope: ServiceScope, uid: number): string {
  return scope === 'system' ? 'system' : `gui/${uid}`
}

function string(text: string): string {
  return `<string>${xmlText(text)}</string>`
}

function integer(value: number): string {
  return `<integer>${value}</integer>`
}

function entry(key: string, value: string): string {
  return `<key>${key}</key>\n${value}`
}

function list(kind: 'dict' | 'array', elements: readonly string[]): string {
  const body = elements.join('\n').replaceAll(/^/gm, '  ')
  return `<${kind}>\n${body}\n</${kind}>`
}
