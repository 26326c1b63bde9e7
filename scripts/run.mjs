// Runs a TypeScript file of this checkout on the Node that the checkout brings with it, after making sure that everything is set up.
// Plain JavaScript for Node 20 and up, without dependencies: it is the one file that runs before there is anything else.
//
//   node scripts/run.mjs FILE [ARG ...]    set up if needed, then run FILE
//   node scripts/run.mjs --setup-only      set up if needed
//   node scripts/run.mjs --which-node      set up if needed, then print the path of the Node to use
//
// SGSD_NODE=system uses the Node that runs this file (24 or newer) instead of the checkout's own.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const PNPM = 'pnpm@12.21.0'
/** Oldest Node that can set up, and oldest that can run sgsd. */
const SETUP_MAJOR = 20
const RUN_MAJOR = 24
/** Longest wait for another set-up of this checkout, and how often to look, milliseconds. */
const LOCK_WAIT_MS = 600_000
const LOCK_POLL_MS = 250

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const modules = join(root, 'node_modules')
const shippedNode = join(modules, '.bin', process.platform === 'win32' ? 'node.cmd' : 'node')
const stamp = join(modules, '.sgsd-setup')
/** What the C engines were built from, and whether they were. */
const nativeStamp = join(modules, '.sgsd-native')
const lock = join(root, 'node_modules', '.sgsd-setup.lock')
const ownMajor = Number(process.versions.node.split('.')[0])

/** What the installation depends on; when its digest is unchanged nothing is installed again. */
function wanted() {
  const hash = createHash('sha256').update(`${PNPM} ${process.platform} ${process.arch}`)
  const manifests = readdirSync(join(root, 'packages')).map((name) => join('packages', name, 'package.json'))
  for (const file of ['package.json', 'pnpm-workspace.yaml', 'pnpm-lock.yaml', ...manifests.sort()]) {
    if (existsSync(join(root, file))) hash.update(file).update(readFileSync(join(root, file)))
  }
  return hash.digest('hex')
}

function isSetUp() {
  return existsSync(stamp) && existsSync(join(modules, '.modules.yaml')) && readFileSync(stamp, 'utf8') === wanted()
}

function setUp() {
  if (ownMajor < SETUP_MAJOR) {
    fail(`Node ${process.versions.node} is too old to set up sgsd; any Node from ${SETUP_MAJOR} on will do (the checkout then brings its own)`)
  }
  if (isSetUp() && isNativeTried()) return
  mkdirSync(modules, { recursive: true })
  takeLock()
  try {
    if (!isSetUp()) install()
    if (!isNativeTried()) buildNative()
  } finally {
    rmSync(lock, { force: true })
  }
}

function install() {
  const started = Date.now()
  process.stderr.write('sgsd: setting up: Node 26 and the packages of pnpm-lock.yaml, from the npm registry (once, about a minute)\n')
  rmSync(stamp, { force: true })
  const digest = wanted()
  // stdout is the result of the command that follows; the installer's words go to stderr
  const done = spawnSync('npx', ['-y', PNPM, 'install', '--frozen-lockfile', '--reporter=append-only'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
    env: { ...process.env, CI: 'true', npm_config_yes: 'true' },
  })
  if (done.error) fail(`cannot start npx (${done.error.message}); install npm and try again`)
  if (done.status !== 0) fail('the packages could not be installed; the lines above say why. Check the network and try again')
  writeFileSync(stamp, digest)
  process.stderr.write(`sgsd: set up in ${((Date.now() - started) / 1000).toFixed(0)} s\n`)
}

/** The C engines' sources, and whether there is a compiler: when either changes it is built again. */
function nativeWanted() {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}`)
  const sources = readdirSync(join(root, 'packages', 'compute', 'native')).filter((name) => /\.[ch]$/.test(name))
  for (const file of [...sources.sort().map((name) => `packages/compute/native/${name}`), 'scripts/build-native.ts'])
    hash.update(file).update(readFileSync(join(root, file)))
  const folders = (process.env.PATH ?? '').split(delimiter)
  const compiler = process.env.CC !== undefined || ['cc', 'gcc', 'clang'].some((name) => folders.some((folder) => existsSync(join(folder, name))))
  return `${hash.digest('hex')} ${compiler ? 'with' : 'without'} a C compiler`
}

/** A service may run without the PATH of the set-up: what was built then stays. */
function isNativeTried() {
  if (!existsSync(nativeStamp)) return false
  const [digest] = nativeWanted().split(' ')
  const had = readFileSync(nativeStamp, 'utf8')
  return had === nativeWanted() || had === `${digest} with a C compiler`
}

/** The other engines do without it, so what goes wrong here is for `sgsd doctor` to tell, not for set-up to fail of. */
function buildNative() {
  spawnSync(chooseNode(), ['--disable-warning=ExperimentalWarning', join(root, 'scripts', 'build-native.ts')], { cwd: root, stdio: ['ignore', 2, 2] })
  writeFileSync(nativeStamp, nativeWanted())
}

/** Two set-ups of one checkout at a time would tear each other's files down: the second waits for the first. */
function takeLock() {
  const deadline = Date.now() + LOCK_WAIT_MS
  for (let waiting = false; ;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' })
      return
    } catch (error) {
      if (error.code !== 'EEXIST') fail(`cannot write in ${modules}: ${error.message}`)
    }
    if (lockIsStale()) {
      rmSync(lock, { force: true })
      continue
    }
    if (Date.now() > deadline) fail(`another set-up has been running for ${LOCK_WAIT_MS / 60_000} minutes; if it is not, remove ${lock}`)
    if (!waiting) process.stderr.write('sgsd: waiting for another set-up of this checkout\n')
    waiting = true
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOCK_POLL_MS)
  }
}

function lockIsStale() {
  try {
    const pid = Number(readFileSync(lock, 'utf8'))
    // an empty lock is one that its owner is about to fill
    if (pid === 0) return Date.now() - statSync(lock).mtimeMs > 5_000
    process.kill(pid, 0)
    return false
  } catch (error) {
    return error.code === 'ESRCH' || error.code === 'ENOENT'
  }
}

/** The checkout's Node, or the one that runs this file where the registry has none for the platform or SGSD_NODE says so. */
function chooseNode() {
  const system = process.env.SGSD_NODE === 'system'
  if (!system && existsSync(shippedNode)) return shippedNode
  if (ownMajor >= RUN_MAJOR) return process.execPath
  const why = system
    ? `SGSD_NODE=system, but this is Node ${process.versions.node}`
    : `no Node came with the packages for ${process.platform} ${process.arch}`
  return fail(`${why}; install Node ${RUN_MAJOR} or newer and run the same command with it`)
}

/** @returns {never} */
function fail(why) {
  process.stderr.write(`sgsd: ${why}\n`)
  rmLockIfOwn()
  process.exit(1)
}

function rmLockIfOwn() {
  if (existsSync(lock) && readFileSync(lock, 'utf8') === String(process.pid)) rmSync(lock, { force: true })
}

/**
 * Types are stripped and code is compiled once, not at every start; and glibc keeps one heap instead of one for each thread:
 * together they start a daemon a third faster and spare it about 80 MB.
 */
function environment() {
  return { NODE_COMPILE_CACHE: join(modules, '.cache', 'compile'), MALLOC_ARENA_MAX: '1' }
}

function run(node, file, args) {
  const child = spawn(node, ['--conditions=sgsd-source', '--disable-warning=ExperimentalWarning', resolve(root, file), ...args], {
    stdio: 'inherit',
    env: { ...environment(), ...process.env },
  })
  // A terminal sends Ctrl-C to the whole process group: the child has it already, and a second one would mean "stop at once".
  const fromTerminal = process.stdin.isTTY || process.stderr.isTTY
  process.on('SIGINT', () => fromTerminal || child.kill('SIGINT'))
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => fail(`cannot start ${node}: ${error.message}`))
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]))
}

const [file, ...args] = process.argv.slice(2)
if (file === undefined) fail('usage: node scripts/run.mjs FILE [ARG ...]')
setUp()
if (file === '--which-node') process.stdout.write(`${chooseNode()}\n`)
else if (file !== '--setup-only') run(chooseNode(), file, args)
