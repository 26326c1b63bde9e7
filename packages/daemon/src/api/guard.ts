import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { ApiError } from './api-error.ts'
import { isLoopback } from './listen-address.ts'

/**
 * Refuses what a web page could make a browser send: a Host that is not this machine (a name of the page's own that was rebound to 127.0.0.1), and an
 * Origin other than the API itself.
 * @throws ApiError 403
 */
export function checkBrowser(headers: IncomingHttpHeaders): void {
  const host = headers.host ?? ''
  const name = /^(?:\[([^\]]+)\]|([^:]+))(?::\d{1,5})?$/.exec(host)
  if (name === null || !isLoopback((name[1] ?? name[2]!).toLowerCase())) {
    throw new ApiError(403, 'host_refused', `this API answers to 127.0.0.1, [::1] and localhost, not to ${JSON.stringify(host.slice(0, 64))}`)
  }
  const { origin } = headers
  if (origin !== undefined && origin !== `http://${host}`) {
    throw new ApiError(403, 'origin_refused', 'this API is not for web pages: the request has the origin of another site')
  }
}

/** @throws ApiError 401 unless the request bears the token; how long it takes does not tell how much of a guess was right */
export function checkToken(headers: IncomingHttpHeaders, token: string): void {
  const [, given] = /^bearer +(\S+) *$/i.exec(headers.authorization ?? '') ?? []
  if (given === undefined) {
    throw new ApiError(401, 'invalid_api_key', 'this request has no API key: send Authorization: Bearer with what `sgsd token` prints')
  }
  if (!timingSafeEqual(digest(given), digest(token)))
    throw new ApiError(401, 'invalid_api_key', 'this API key is not the token that `sgsd token` prints')
}

/** Of equal length whatever was given. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
