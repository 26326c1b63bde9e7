import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

/** Where set-up, or the published package, puts what is built for this platform: the same from `src` and from `dist`. */
const FOLDER: URL = new URL(`../native/build/${process.platform}-${process.arch}/`, import.meta.url)

/**
 * What packages/compute/native/NAME.c exports. Loads in any number of threads.
 * @throws Error that says why there is no addon here, or why it does not load
 */
export function loadNativeAddon<T>(name: string): T {
  const file = fileURLToPath(new URL(`${name}.node`, FOLDER))
  if (!existsSync(file)) throw new Error(whyMissing(name))
  return createRequire(import.meta.url)(file) as T
}

/** Set-up leaves its reason beside the place where the addon would be. */
function whyMissing(name: string): string {
  try {
    return readFileSync(new URL(`${name}.missing.txt`, FOLDER), 'utf8').trim()
  } catch {
    return `this package has no C engine built for ${process.platform}-${process.arch}`
  }
}
