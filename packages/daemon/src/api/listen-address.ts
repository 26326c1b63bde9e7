/** Where the API listens. Loopback only: its token travels in the clear. */
export interface ListenAddress {
  readonly host: string
  /** 0 takes any free one. */
  readonly port: number
}

/** Setting that keeps the API from listening. */
export const API_OFF = 'off'

const HIGHEST_PORT = 65_535

/** `127.0.0.1:42070`, `[::1]:42070` or `localhost:42070`; undefined for `off`. @returns what is wrong with it, as a sentence, otherwise */
export function parseListenAddress(text: string): ListenAddress | undefined | { readonly fault: string } {
  if (text === API_OFF) return undefined
  const [, ipv6, plain, digits] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? []
  const host = ipv6 ?? plain
  const port = Number(digits)
  if (host === undefined || port > HIGHEST_PORT) return { fault: `${text} is neither host:port, such as 127.0.0.1:42070, nor ${API_OFF}` }
  if (!isLoopback(host)) {
    return {
      fault: `${host} is not a loopback address: the API is for programs on this machine; let others reach it through ssh -L or a proxy with TLS`,
    }
  }
  return { host, port }
}

/** Whether a host can only be this machine. @param host - an IPv4 or IPv6 literal without brackets, or a name */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host)
}

/** `http://127.0.0.1:42070` */
export function urlOf({ host, port }: ListenAddress): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}
