#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import type { Context } from './context.ts'
import { edges } from './edges.ts'
import { EXIT } from './exit-code.ts'
import { Interrupted } from './failure.ts'
import { runCommandLine } from './run.ts'
import { processTerminal } from './terminal.ts'

// A daemon runs for months beside its owner's other programs, and its kernels are no JavaScript: a small heap is worth more than the
// last bit of speed (35 MB of 270). Before anything large is loaded.
setFlagsFromString('--optimize-for-size')

// package.json lies one folder up, from the source as from what is built
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }

const stopping = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopping.abort(new Interrupted(signal)))

const context: Context = { terminal: processTerminal(), edges, signal: stopping.signal, version, exitCode: EXIT.ok }
process.exitCode = await runCommandLine(process.argv.slice(2), context)
