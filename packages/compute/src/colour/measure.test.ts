import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

test('a program that does nothing but measure gets its answer: idle threads keep no process alive, a question does', async () => {
  const program = `
    const { openColourCompute } = await import(${JSON.stringify(new URL('open-colour-compute.ts', import.meta.url).href)})
    const compute = await openColourCompute({ threads: 1 })
    process.stdout.write(String(await compute.measure('turbo32', 50)))
    await compute.close()`
  const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=sgsd-source', '--input-type=module', '--eval', program])
  expect(Number(stdout)).toBeGreaterThan(0)
})
