// How fast one core reads memory from one end to the other: what work that only moves bytes is held to.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What the speed is measured on: eight times the 32 MB that the last cache of the machine at hand holds. */
const BYTES = 1 << 28

/**
 * @returns a measurement: how long so many bytes take right now, in ms of processor time; or why there is none here
 */
export function openMemorySpeed(): ((bytes: number) => number) | string {
  const folder = mkdtempSync(join(tmpdir(), 'sgsd-bench-'))
  try {
    const addon = join(folder, 'limit.node')
    const headers = join(import.meta.dirname, '..', 'packages', 'compute', 'node_modules', 'node-api-headers', 'include')
    const linking = process.platform === 'darwin' ? ['-bundle', '-undefined', 'dynamic_lookup'] : ['-shared']
    const source = join(import.meta.dirname, 'lattice-limit.c')
    const done = spawnSync('cc', ['-O3', '-march=native', '-fPIC', ...linking, '-I', headers, '-o', addon, source], { encoding: 'utf8' })
    if (done.status !== 0) return 'no C compiler (cc) on this machine'
    const { stream } = createRequire(import.meta.url)(addon) as { readonly stream: (bytes: Uint8Array) => number }
    const memory = new Uint8Array(BYTES).fill(1)
    return (bytes) => {
      const before = process.cpuUsage()
      stream(memory)
      const { user, system } = process.cpuUsage(before)
      return ((user + system) / 1e3) * (bytes / BYTES)
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
