import { openCommandHost } from './command-host.ts'
import type { HostConfig } from './host-config.ts'
import type { HostEnvironment } from './host-environment.ts'
import { openHttpHost } from './http-host.ts'
import { openOpenaiHost } from './openai-host.ts'
import type { Host } from './port.ts'
import { openSqliteHost } from './sqlite-host.ts'
import { openStdoutHost } from './stdout-host.ts'

/**
 * The host of a configuration, or undefined for the one that is built into the lattice. Nothing is connected, started or opened before the
 * first `grade`, so a host that is down does not keep a daemon from starting.
 */
export async function openHost(config: HostConfig, env: HostEnvironment): Promise<Host | undefined> {
  switch (config.kind) {
    case 'next-line':
      return undefined
    case 'http':
      warnOfPlainText(config.url, config.headersFile !== undefined, env)
      return openHttpHost(config, env)
    case 'openai':
      warnOfPlainText(config.baseUrl, config.apiKeyFile !== undefined || config.apiKeyEnv !== undefined, env)
      return openOpenaiHost(config, env)
    case 'command':
      return openCommandHost(config, env)
    case 'stdout':
      return openStdoutHost(config, env)
    case 'sqlite':
      return openSqliteHost(config, env)
    default:
      return config satisfies never
  }
}

/** A key that crosses a network unencrypted is worth a line in the log; on this machine it crosses none. */
function warnOfPlainText(address: string, secret: boolean, env: HostEnvironment): void {
  const { protocol, hostname, host } = new URL(address)
  if (!secret || protocol === 'https:' || /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)) return
  env.log.warn({ host }, 'the key of this host crosses the network unencrypted; use https')
}
