import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

/** Where set-up, or the published package, puts what is built for this platform: the same from `src` and from `dist`. */
const BUILT: URL = new URL(`../native/build/${process.platform}-${process.arch}/`, import.meta.url)

/**
 * Loads what scripts/build-native.ts made of packages/compute/native/NAME.c, in any number of threads.
 * @typeParam T - what the source exports
 * @param folder - where it lies, ending in a slash
 * @throws Error that says why there is no addon here, or why it does not load
 */
export function loadNativeAddon<T = unknown>(name: string, folder: URL = BUILT): T {
  const file = fileURLToPath(new URL(`${name}.node`, folder))
  if (!existsSync(file)) throw new Error(whyMissing(name, folder))
  return createRequire(import.meta.url)(file) as T
}

/** Set-up leaves its reason beside the place where the addon would be. */
function whyMissing(name: string, folder: URL): string {
  try {
    return readFileSync(new URL(`${name}.missing.txt`, folder), 'utf8').trim()
  } catch {
    return `this package has no C engine built for ${process.platform}-${process.arch}`
  }
}
