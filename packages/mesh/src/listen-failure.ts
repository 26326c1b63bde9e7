import { MeshError, reasonOf } from './mesh-error.ts'

/** What libp2p's error for a failed start means: which address, why, and what a person can do. libp2p gives all of it as one text. */
export function listenFailure(listen: readonly string[], cause: unknown): MeshError {
  const text = reasonOf(cause)
  const address = listen.find((one) => text.includes(`${one}:`)) ?? listen.join(', ')
  const code = /\b(EADDRINUSE|EADDRNOTAVAIL|EACCES)\b/.exec(text)?.[1]
  const [detail, advice] = LISTEN_ADVICE[code ?? ''] ?? [text.split('\n', 1)[0] ?? text, 'check the listen addresses in the configuration']
  return new MeshError('LISTEN_FAILED', { address, detail, advice }, { cause })
}

const LISTEN_ADVICE: Readonly<Record<string, readonly [detail: string, advice: string]>> = {
  EADDRINUSE: ['the port is in use', 'stop the program that uses it, or choose another port in the listen addresses'],
  EADDRNOTAVAIL: ['this machine does not have that address', 'listen on an address of this machine, or on 0.0.0.0'],
  EACCES: ['this user may not use that port', 'choose a port of 1024 or above'],
}
