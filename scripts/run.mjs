// Runs a TypeScript file of this checkout on the Node that the checkout brings with it, after making sure that everything is set up.
// Plain JavaScript for Node 20 and up, without dependencies: it is the one file that runs before there is anything else.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const PNPM = 'pnpm@12.21.0'
const root = dirname(dirname(fileURLToPath(import.meta.url)))
const node = join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node')
const stamp = join(root, 'node_modules', '.sgsd-setup')

/** What the installation depends on; when its digest is unchanged nothing is installed again. */
function wanted() {
  const hash = createHash('sha256').update(`${PNPM} ${process.platform} ${process.arch}`)
  const manifests = readdirSync(join(root, 'packages')).map((name) => join('packages', name, 'package.json'))
  for (const file of ['package.json', 'pnpm-workspace.yaml', 'pnpm-lock.yaml', ...manifests.sort()]) {
    if (existsSync(join(root, file))) hash.update(file).update(readFileSync(join(root, file)))
  }
  return hash.digest('hex')
}

function setUp() {
  if (Number(process.versions.node.split('.')[0]) < 20) {
    fail(`Node ${process.versions.node} is too old to set up sgsd; any Node from 20 on will do (the checkout then brings its own)`)
  }
  const digest = wanted()
  if (existsSync(stamp) && existsSync(node) && readFileSync(stamp, 'utf8') === digest) return
  const started = Date.now()
  process.stderr.write(`sgsd: setting up: Node 26 and the packages of pnpm-lock.yaml, from the npm registry (once, about a minute)\n`)
  rmSync(stamp, { force: true })
  // stdout is the result of the command that follows; the installer's words go to stderr
  const done = spawnSync('npx', ['-y', PNPM, 'install', '--frozen-lockfile', '--reporter=append-only'], {
    cwd: root, stdio: ['ignore', 2, 2], shell: process.platform === 'win32',
    env: { ...process.env, CI: 'true', npm_config_yes: 'true' },
  })
  if (done.error) fail(`cannot start npx (${done.error.message}); install npm and try again`)
  if (done.status !== 0) fail('the packages could not be installed; the lines above say why. Check the network and try again')
  if (!existsSync(node)) fail(`no Node 26 for ${process.platform} ${process.arch} came with the packages; install Node 24 or newer and run the same command with it`)
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, digest)
  process.stderr.write(`sgsd: set up in ${((Date.now() - started) / 1000).toFixed(0)} s\n`)
}

/** @returns {never} */
function fail(why) {
  process.stderr.write(`sgsd: ${why}\n`)
  process.exit(1)
}

const [file, ...args] = process.argv.slice(2)
if (file === undefined) fail('usage: node scripts/run.mjs FILE [ARG ...]')
setUp()
if (file === '--setup-only') process.exit(0)
const child = spawn(node, ['--conditions=sgsd-source', '--disable-warning=ExperimentalWarning', resolve(root, file), ...args], { stdio: 'inherit' })
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('error', (error) => fail(`cannot start ${node}: ${error.message}`))
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 143)))
