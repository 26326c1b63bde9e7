import { randomBytes } from 'node:crypto'
import {
  disguise,
  foldShare,
  hex64,
  MAX_DISGUISED_BYTES,
  parseShares,
  POLARITY_NAMES,
  publicXorHolds,
  reveal,
  type Share,
  shareDocument,
  triadic,
} from '@sgsd/color'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { CliError } from '../failure.ts'
import { addGroup, addLeaf, bigNumber, type CommonOptions, optionsOf, printJson } from '../leaf.ts'
import { PUBLISHED_SEED } from '../published.ts'
import { plainText } from '../text/display-width.ts'
import { readText, writeText } from '../text-file.ts'

/** Colours of each polarity behind the fingerprints that the shares are mixed into. */
const PUBLIC_COLOURS = 100_000
/** A share file is for its holder only. */
const SHARE_MODE = 0o600

interface EncodeFlags extends CommonOptions {
  readonly key: bigint
  readonly start?: bigint
  readonly out?: string
}

export function addDisguise(game: Command, context: Context): void {
  const group = addGroup(game, 'disguise', 'hide a message in three shares whose public XOR stays what it was')
  addLeaf(group, {
    name: 'encode',
    nodeless: true,
    arguments: [['<text>', 'the message; - reads standard input']],
    summary: 'hide a message in three shares',
    details:
      "MINUS is the message masked with the key's colours, ERGODIC colours alone, PLUS the XOR of the two: all three XOR to 0 in every block, so a public " +
      'XOR that they are mixed into does not change. It hides, it does not protect: the key has 64 bits and the generator is no cipher.',
    examples: [
      'sgsd game disguise encode "meet at noon" --key 0x5eed > shares.json',
      'sgsd game disguise encode - --key 42 --out secret < letter.txt',
    ],
  })
    .requiredOption('--key <number>', 'the key, 64 bits', bigNumber)
    .option('--start <index>', "index of the key's stream to begin with; never the same twice (default: random)", bigNumber)
    .option('--out <prefix>', 'write <prefix>.minus.json, <prefix>.ergodic.json and <prefix>.plus.json, one for each holder')
    .action(async (text: string, _flags, command: Command) => {
      const flags = optionsOf<EncodeFlags>(command)
      const message = new TextEncoder().encode(text === '-' ? await context.terminal.readInput() : text)
      if (message.length > MAX_DISGUISED_BYTES)
        throw new CliError('MESSAGE_TOO_LONG', `the message has ${message.length} bytes, more than ${MAX_DISGUISED_BYTES}`, EXIT.usage)
      const shares = disguise(flags.key, flags.start ?? randomBytes(8).readBigUInt64LE(), message)
      await deliver(context, flags, shares)
    })
  addLeaf(group, {
    name: 'decode',
    nodeless: true,
    arguments: [['<files...>', 'share files, or what encode printed; - reads standard input']],
    summary: 'read a message back from its shares',
    details: 'Any two of the three are enough. Exit 7 when the checksum inside does not fit; the wrong shares are named.',
    examples: ['sgsd game disguise decode shares.json --key 0x5eed', 'sgsd game disguise decode secret.minus.json secret.plus.json --key 42 --json'],
  })
    .requiredOption('--key <number>', 'the key, 64 bits', bigNumber)
    .action(async (files: readonly string[], _flags, command: Command) => {
      const flags = optionsOf<EncodeFlags>(command)
      const shares: Share[] = []
      for (const file of files) {
        const parsed = parseShares(await readText(context, file))
        if (!parsed.ok) throw new CliError('SHARE_INVALID', `${file}: ${parsed.reason}`, EXIT.usage, 'sgsd game disguise encode makes shares')
        shares.push(...parsed.shares)
      }
      const message = messageOf(flags.key, shares)
      if (flags.json === true) {
        return printJson(context, { schema: 'sgsd.disguise-decode/1', shares: shares.map(({ polarity }) => POLARITY_NAMES[polarity]), message })
      }
      // a terminal gets no control characters from a message; a file or a pipe gets it as it is
      const text = context.terminal.outLive ? message.split('\n').map(plainText).join('\n') : message
      context.terminal.print(text.endsWith('\n') ? text.slice(0, -1) : text)
    })
}

/** @throws CliError SHARES_INVALID, exit 2, when there are not two or three different shares; SHARES_WRONG, exit 7, when they do not fit */
function messageOf(key: bigint, shares: readonly Share[]): string {
  const distinct = new Set(shares.map(({ polarity }) => polarity)).size
  if (distinct !== shares.length || distinct < 2) {
    const why = distinct === shares.length ? 'at least two of the three shares are needed' : 'a share is there twice'
    throw new CliError('SHARES_INVALID', why, EXIT.usage)
  }
  const revealed = reveal(key, shares)
  if (!revealed.ok) {
    const rest = shares.length - revealed.wrong.length
    const hint = shares.length === 3 && rest === 2 ? `leave ${POLARITY_NAMES[revealed.wrong[0]!]} out: the other two suffice` : ''
    throw new CliError('SHARES_WRONG', revealed.reason, EXIT.disagreement, hint)
  }
  return new TextDecoder().decode(revealed.message)
}

/** Shares as they were made; what a public triadic fingerprint is before and after they are mixed into its three parts. */
async function deliver(context: Context, { out, json }: EncodeFlags, shares: readonly [Share, Share, Share]): Promise<void> {
  const { fingerprints, xor } = triadic(PUBLISHED_SEED, PUBLIC_COLOURS, 'canonical')
  const disguised = fingerprints.map((fingerprint, place) => fingerprint ^ foldShare(shares[place]!))
  const after = disguised.reduce((a, b) => a ^ b, 0n)
  const documents = shares.map(shareDocument)
  const files = out === undefined ? [] : shares.map(({ polarity }) => `${out}.${POLARITY_NAMES[polarity].toLowerCase()}.json`)
  for (const [place, file] of files.entries()) await writeText(file, `${JSON.stringify(documents[place])}\n`, SHARE_MODE)
  if (json === true) {
    const publicXor = { seed: hex64(PUBLISHED_SEED), before: hex64(xor), after: hex64(after), intact: after === xor && publicXorHolds(shares) }
    return printJson(context, {
      schema: 'sgsd.disguise/1',
      start: hex64(shares[0].start),
      publicXor,
      fingerprints: disguised.map(hex64),
      shares: documents,
    })
  }
  if (out === undefined) for (const document of documents) context.terminal.print(JSON.stringify(document))
  else {
    const { out: style } = context.terminal
    for (const [place, file] of files.entries()) {
      const fold = hex64(foldShare(shares[place]!))
      context.terminal.print(`${style.block(fold.slice(-6))} ${POLARITY_NAMES[shares[place]!.polarity].padEnd(7)} ${file}`)
    }
  }
  context.terminal.note(`public XOR ${hex64(xor)} before, ${hex64(after)} after${after === xor ? ': intact' : ''}`)
}
