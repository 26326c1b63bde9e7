// Compiles packages/compute/assembly/*.ts to WebAssembly and writes the bytes, as base64, into the sources that load them.
// The outputs are checked in, so that nothing but this script needs the compiler; a test recompiles and compares.
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import asc from 'assemblyscript/asc'

export interface WasmModule {
  /** AssemblyScript source, from the checkout's root. */
  readonly source: string
  /** Generated TypeScript, from the checkout's root. */
  readonly target: string
  /** Name of the exported constant. */
  readonly constant: string
}

export const WASM_MODULES: readonly WasmModule[] = [
  {
    source: 'packages/compute/assembly/colour.ts',
    target: 'packages/compute/src/colour/colour-wasm.generated.ts',
    constant: 'COLOUR_WASM',
  },
  {
    source: 'packages/compute/assembly/lattice-step.ts',
    target: 'packages/compute/src/lattice/lattice-step-wasm.generated.ts',
    constant: 'LATTICE_STEP_WASM',
  },
  {
    source: 'packages/compute/assembly/claim-root.ts',
    target: 'packages/compute/src/claims/claim-root-wasm.generated.ts',
    constant: 'CLAIM_ROOT_WASM',
  },
  {
    source: 'packages/compute/assembly/join.ts',
    target: 'packages/compute/src/join/join-wasm.generated.ts',
    constant: 'JOIN_WASM',
  },
  {
    source: 'packages/compute/assembly/fold.ts',
    target: 'packages/compute/src/lattice/fold/fold-wasm.generated.ts',
    constant: 'FOLD_WASM',
  },
]

const root = dirname(dirname(fileURLToPath(import.meta.url)))

/**
 * The generated source of a module: a pure function of its AssemblyScript and the locked compiler version.
 * @throws Error with the compiler's words if it does not compile
 */
export async function compileWasm(module: WasmModule): Promise<string> {
  let binary: Uint8Array | undefined
  const options = ['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd', '--outFile', 'out.wasm']
  const complaints: string[] = []
  const { error } = await asc.main([module.source, ...options], {
    readFile: (name, base) => readSource(join(base, name)),
    writeFile: (_name, contents) => {
      if (typeof contents !== 'string') binary = contents
    },
    stderr: { write: (chunk) => complaints.push(String(chunk)) > 0 },
  })
  if (error !== null || binary === undefined) throw new Error(`${module.source} does not compile: ${complaints.join('')}`, { cause: error })
  const lines =
    Buffer.from(binary)
      .toString('base64')
      .match(/.{1,140}/g) ?? []
  const body = lines.map((line) => `  '${line}'`).join(' +\n')
  return `// Made by scripts/build-wasm.ts from ${module.source}; do not edit.\n/** ${binary.length} bytes of WebAssembly, base64. */\nexport const ${module.constant}: string =\n${body}\n`
}

function readSource(name: string): string | null {
  try {
    return readFileSync(join(root, name), 'utf8')
  } catch {
    return null
  }
}

if (import.meta.main) {
  for (const module of WASM_MODULES) {
    writeFileSync(join(root, module.target), await compileWasm(module))
    process.stdout.write(`${module.target}\n`)
  }
}
