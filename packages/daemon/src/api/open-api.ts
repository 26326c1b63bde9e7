import type { Logger } from 'pino'
import type { StatusDocument } from '../control/api.ts'
import { parseListenAddress, urlOf } from './listen-address.ts'
import { type ApiServer, type ApiTarget, openApiServer } from './server.ts'
import { ensureApiToken } from './token.ts'

/** What became of the API. */
export type ApiReport = StatusDocument['api']

/** The API, or why there is none: the daemon goes on without it. */
export interface OpenedApi extends AsyncDisposable {
  readonly report: ApiReport
}

/**
 * Makes the token and listens. @param listen - `api.listen`, checked by the configuration @param tokenFile - `<data-dir>/api.token`
 */
export async function openApi(listen: string, tokenFile: string, target: ApiTarget, log: Logger): Promise<OpenedApi> {
  const address = parseListenAddress(listen)
  if (address === undefined) return without({ state: 'off', url: '', tokenFile: '', why: 'api.listen is off' })
  if ('fault' in address) return without({ state: 'failed', url: '', tokenFile, why: address.fault })
  let server: ApiServer
  try {
    await ensureApiToken(tokenFile)
    server = await openApiServer(address, target)
  } catch (error) {
    const why = reason(error as NodeJS.ErrnoException, urlOf(address))
    log.warn({ listen, error: (error as Error).message }, 'no API: the daemon goes on without it')
    return without({ state: 'failed', url: '', tokenFile, why })
  }
  log.info({ url: server.url, tokenFile }, 'API listens')
  return {
    report: { state: 'on', url: server.url, tokenFile, why: '' },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

function without(report: ApiReport): OpenedApi {
  return { report, [Symbol.asyncDispose]: () => Promise.resolve() }
}

function reason({ code, message }: NodeJS.ErrnoException, url: string): string {
  if (code === 'EADDRINUSE') return `${url} is taken by another program; sgsd config set api.listen chooses another port, or off`
  if (code === 'EADDRNOTAVAIL') return `${url} is no address of this machine; see sgsd config get api.listen`
  if (code === 'EACCES') return `this user may not listen on ${url}; sgsd config set api.listen chooses a port from 1024 on`
  return message
}
