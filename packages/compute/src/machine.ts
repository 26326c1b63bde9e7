import { existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** The machine as far as engines and providers depend on it; tests give their own. */
export interface Machine {
  readonly platform: NodeJS.Platform
  readonly arch: string
  /** Folder of ONNX Runtime's native library, or undefined when the optional dependency is not installed. */
  readonly ortFolder: string | undefined
  exists(path: string): boolean
  list(folder: string): readonly string[]
}

/** This machine. Loads nothing native. */
export function thisMachine(): Machine {
  return {
    platform: process.platform,
    arch: process.arch,
    ortFolder: findOrtFolder(),
    exists: existsSync,
    list: (folder) => (existsSync(folder) ? readdirSync(folder) : []),
  }
}

/** Whether the system shows a GPU at all: a render node, an NVIDIA device, or the one of Windows' Linux. */
export function hasGpuDevice(machine: Machine): boolean {
  return machine.list('/dev').some((name) => /^(nvidia\d+|dxg)$/.test(name)) || machine.list('/dev/dri').some((name) => name.startsWith('renderD'))
}

function findOrtFolder(): string | undefined {
  try {
    const entry = createRequire(import.meta.url).resolve('onnxruntime-node')
    return join(dirname(entry), '..', 'bin', 'napi-v6', process.platform, process.arch)
  } catch {
    return undefined
  }
}
