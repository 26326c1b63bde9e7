import { validateHeaderName, validateHeaderValue } from 'node:http'
import { isAbsolute, join } from 'node:path'
import { isStoreError, readSecretFile, StoreError } from '@sgsd/store'
import { HostError } from './host-error.ts'

/** Longest key; tokens of clouds reach 3 KiB. */
const MAX_KEY_LENGTH = 8_192
/** Shorter values are not taken out of texts: they would be words. */
const MIN_REDACTED_LENGTH = 4
/** Headers that the call itself sets. */
const OWN_HEADERS = new Set(['accept', 'accept-encoding', 'connection', 'content-length', 'content-type', 'host', 'transfer-encoding', 'upgrade'])

/** Relative paths of a configuration are taken from the data directory: a service has no other place of its own. */
export function hostPath(root: string, path: string): string {
  return isAbsolute(path) ? path : join(root, path)
}

/**
 * The key of a server, from a file or a variable.
 * @throws HostError HOST_REFUSED; the message never holds what was found
 */
export async function readKey(
  host: string,
  from: { readonly file: string } | { readonly variable: string },
  variables: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const place = 'file' in from ? from.file : `the variable ${from.variable}`
  const key = ('file' in from ? await readSecretText(host, from.file) : (variables[from.variable] ?? '')).trim()
  if (key === '') {
    const remedy =
      'file' in from
        ? 'put the key into it'
        : 'set it where the daemon is started, or use apiKeyFile: a service does not see the variables of a shell'
    throw new HostError('HOST_REFUSED', { host, reason: `there is no key in ${place}`, remedy })
  }
  if (key.length > MAX_KEY_LENGTH || !/^[\x21-\x7e]+$/.test(key)) {
    throw new HostError('HOST_REFUSED', { host, reason: `${place} holds something that is no key`, remedy: 'it must hold the key and nothing else' })
  }
  return key
}

/**
 * Headers from a file of `Name: value` lines; empty lines and those that begin with # are skipped.
 * @throws HostError HOST_REFUSED naming the line, never its text
 */
export async function readHeaders(host: string, path: string): Promise<Readonly<Record<string, string>>> {
  const headers: Record<string, string> = {}
  const lines = (await readSecretText(host, path)).split(/\r?\n/)
  for (const [i, line] of lines.entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue
    const colon = line.indexOf(':')
    const name = line.slice(0, Math.max(0, colon)).trim().toLowerCase()
    const value = line.slice(colon + 1).trim()
    if (OWN_HEADERS.has(name)) {
      throw new HostError('HOST_REFUSED', { host, reason: `${path} line ${i + 1} sets ${name}, which every call sets itself`, remedy: 'remove it' })
    }
    try {
      validateHeaderName(name)
      validateHeaderValue(name, value)
    } catch {
      // Without its cause: Node's message repeats the text.
      throw new HostError('HOST_REFUSED', { host, reason: `${path} line ${i + 1} is no header`, remedy: 'write one Name: value on each line' })
    }
    headers[name] = value
  }
  return headers
}

/** Takes the secrets out of a text: some servers repeat the key that they do not accept. */
export function redactor(secrets: readonly string[]): (text: string) => string {
  const hidden = secrets.flatMap((secret) => [secret, secret.replace(/^\S+\s+/, '')]).filter((secret) => secret.length >= MIN_REDACTED_LENGTH)
  return (text) => hidden.reduce((clean, secret) => clean.replaceAll(secret, '[redacted]'), text)
}

async function readSecretText(host: string, path: string): Promise<string> {
  try {
    return Buffer.from(await readSecretFile(path)).toString('utf8')
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    const remedy = isStoreError(error, 'NOT_FOUND')
      ? 'create it (mode 0600), or correct farm.host'
      : 'it must be a small file that only its owner may read'
    throw new HostError('HOST_REFUSED', { host, reason: error.message, remedy }, { cause: error })
  }
}
