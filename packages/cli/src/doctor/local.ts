import { constants } from 'node:fs'
import { access, stat, statfs } from 'node:fs/promises'
import { createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { dirname } from 'node:path'
import type { DaemonEdge } from '../edges.ts'
import { describeFailure } from '../failure.ts'
import { bytes } from '../text/figures.ts'
import type { Check } from './check.ts'

/** Below this a node stops taking blocks before long. */
const LOW_DISK_BYTES = 512 * 2 ** 20
const LEAST_NODE_MAJOR = 24

/** What can be looked at without a daemon. @param dir - the data directory; @param running - a daemon holds it */
export async function localChecks(daemon: DaemonEdge, dir: string, running: boolean): Promise<Check[]> {
  return [
    runtimeCheck(process.versions.node),
    ...(await dataDirChecks(daemon, dir)),
    await diskCheck(dir),
    networkCheck(),
    ...(running ? [] : await portChecks(daemon, dir)),
  ]
}

function runtimeCheck(version: string): Check {
  const old = Number(version.split('.')[0]) < LEAST_NODE_MAJOR
  return {
    name: 'runtime',
    state: old ? 'fault' : 'ok',
    what: `Node ${version} on ${process.platform} ${process.arch}`,
    mend: old ? `install Node ${LEAST_NODE_MAJOR} or newer` : '',
  }
}

async function dataDirChecks(daemon: DaemonEdge, dir: string): Promise<Check[]> {
  const files = daemon.dataDir(dir)
  const name = 'data directory'
  if (!(await exists(dir))) return [{ name, state: 'note', what: `${dir} does not exist yet`, mend: 'sgsd init founds a mesh, sgsd join enters one' }]
  try {
    await access(dir, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    return [
      {
        name,
        state: 'fault',
        what: `${dir} cannot be written: ${describeFailure(error).code}`,
        mend: 'mend its owner and mode, or choose another --data-dir',
      },
    ]
  }
  if (!(await exists(files.genesis)))
    return [{ name, state: 'note', what: `${dir} belongs to no mesh yet`, mend: 'sgsd init founds a mesh, sgsd join enters one' }]
  return [{ name, state: 'ok', what: dir, mend: '' }, await secretCheck('identity', files.identity), await configCheck(daemon, files.config)]
}

async function secretCheck(name: string, file: string): Promise<Check> {
  try {
    const { mode } = await stat(file)
    const open = (mode & 0o077) !== 0
    return {
      name,
      state: open ? 'fault' : 'ok',
      what: open ? `${file} can be read by others (mode ${(mode & 0o777).toString(8)})` : `${file}, mode 600`,
      mend: open ? `chmod 600 ${file}` : '',
    }
  } catch (error) {
    return { name, state: 'fault', what: describeFailure(error).message, mend: 'restore it from a backup; without it this node is another member' }
  }
}

async function configCheck(daemon: DaemonEdge, file: string): Promise<Check> {
  try {
    await daemon.readConfig(file)
    return { name: 'configuration', state: 'ok', what: file, mend: '' }
  } catch (error) {
    const { message, hint } = describeFailure(error)
    return { name: 'configuration', state: 'fault', what: message, mend: hint }
  }
}

async function diskCheck(dir: string): Promise<Check> {
  let place = dir
  while (!(await exists(place)) && dirname(place) !== place) place = dirname(place)
  const { bavail, bsize } = await statfs(place)
  const low = bavail * bsize < LOW_DISK_BYTES
  return {
    name: 'disk',
    state: low ? 'fault' : 'ok',
    what: `${bytes(bavail * bsize)} free`,
    mend: low ? 'free some space; layers are refused when the disk is full' : '',
  }
}

function networkCheck(): Check {
  const found = Object.entries(networkInterfaces()).flatMap(([name, addresses]) =>
    (addresses ?? []).filter(({ internal, family }) => !internal && family === 'IPv4').map(({ address }) => `${address} (${name})`),
  )
  if (found.length > 0) return { name: 'network', state: 'ok', what: found.join(', '), mend: '' }
  return {
    name: 'network',
    state: 'note',
    what: 'only the loopback interface is up: peers on other machines cannot be reached',
    mend: 'connect to a network; nodes on this machine still find each other',
  }
}

/** Tries to bind what the daemon would listen on. */
async function portChecks(daemon: DaemonEdge, dir: string): Promise<Check[]> {
  const config = await daemon.readConfig(daemon.dataDir(dir).config).catch(() => undefined)
  const endpoints = (config?.listen ?? []).flatMap((multiaddr) => {
    const [, , host, port] = /^\/(ip4|ip6)\/([^/]+)\/tcp\/(\d+)$/.exec(multiaddr) ?? []
    return host === undefined || port === undefined || port === '0' ? [] : [{ host, port: Number(port) }]
  })
  return Promise.all(
    endpoints.map(async ({ host, port }): Promise<Check> => {
      const refused = await tryToListen(host, port)
      const name = `port ${port}`
      if (refused === undefined) return { name, state: 'ok', what: `free on ${host}`, mend: '' }
      const used = refused === 'EADDRINUSE'
      return {
        name,
        state: 'fault',
        what: used ? `another program listens on ${host}` : `cannot listen on ${host}: ${refused}`,
        mend: 'sgsd config set listen /ip4/0.0.0.0/tcp/<another port>',
      }
    }),
  )
}

/** @returns the system's error code, or undefined when the port is free */
function tryToListen(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error) => resolve(describeFailure(error).code))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)))
  })
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
