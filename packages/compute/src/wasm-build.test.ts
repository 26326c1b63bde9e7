import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { compileWasm, WASM_MODULES } from '../../../scripts/build-wasm.ts'

test.each(WASM_MODULES)('$source compiles to exactly what is checked in', async (module) => {
  const target = new URL(`../../../${module.target}`, import.meta.url)
  expect(await compileWasm(module)).toBe(readFileSync(target, 'utf8'))
})
