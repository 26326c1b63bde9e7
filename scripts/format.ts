/** `npm run format [-- PATH ...]`: formats the named files, or everything. */
import { spawnSync } from 'node:child_process'
import { delimiter, dirname, join } from 'node:path'

const root = dirname(import.meta.dirname)
const bin = join(root, 'node_modules', '.bin')
const paths = process.argv.slice(2)
const done = spawnSync(join(bin, 'oxfmt'), paths.length > 0 ? paths : ['.'], {
  cwd: root,
  stdio: 'inherit',
  // the tool's shim starts `node`: the one that runs this file must come first
  env: { ...process.env, PATH: [dirname(process.execPath), bin, process.env['PATH'] ?? ''].join(delimiter) },
})
if (done.error !== undefined) process.stderr.write(`format: cannot start oxfmt: ${done.error.message}\n`)
process.exitCode = done.status ?? 1
