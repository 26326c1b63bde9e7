import { chainStart, challenge, checkpoints, hex64, type ParallelChains, POLARITY_NAMES, polarityOf, spi64 } from '@sgsd/color'
import { count } from '../text/figures.ts'
import type { Style } from '../text/style.ts'
import { type Column, table } from '../text/table.ts'

/** Six hex digits of what people see of a colour, for a block. */
export function seen(colour: bigint): string {
  return (colour & 0xff_ffffn).toString(16).padStart(6, '0')
}

/** The condensed form of a chain that is too long to print: the first colours, the last, and the XOR of all. */
export interface ChainDocument {
  readonly schema: 'sgsd.chain/1'
  readonly seed: string
  /** Index of the stream that the chain begins with; null when it begins with the seed itself. */
  readonly from: string | null
  readonly length: number
  /** The first colours, at most so many as are shown. */
  readonly colours: readonly string[]
  readonly fingerprint: string
  readonly last: string
}

export function chainView({ length, colours, fingerprint, last }: ChainDocument, style: Style): string[] {
  const line = (colour: string, depth: number): string =>
    `${style.block(colour.slice(-6))} ${colour}  depth ${count(depth)}  ${POLARITY_NAMES[polarityOf(depth)]}`
  const lines = colours.map(line)
  if (colours.length < length) lines.push(...(colours.length < length - 1 ? ['…'] : []), line(last, length - 1))
  return [
    ...lines,
    `${style.block(fingerprint.slice(-6))} ${fingerprint}  ${style.bold('fingerprint')}, XOR of ${count(length)} ${length === 1 ? 'colour' : 'colours'}`,
  ]
}

/** Where each chain is checked, with the colour that the stream has there. */
export interface CheckpointDocument {
  readonly at: 'mid' | 'end'
  readonly chain: number
  readonly index: string
  readonly colour: string
}

export interface ChallengeDocument {
  readonly host: string
  readonly round: number
  readonly index: string
  readonly expected: string
}

export interface ParallelDocument {
  readonly schema: 'sgsd.chains/1'
  readonly seed: string
  readonly length: number
  readonly chains: readonly { readonly chain: number; readonly start: string; readonly fingerprint: string; readonly last: string }[]
  /** seed ^ XOR of the chains' fingerprints. */
  readonly combined: string
  readonly checkpoints: readonly CheckpointDocument[]
}

export function parallelDocument(seed: bigint, length: number, { chains, combined }: ParallelChains, withCheckpoints: boolean): ParallelDocument {
  return {
    schema: 'sgsd.chains/1',
    seed: hex64(seed),
    length,
    chains: chains.map(({ fingerprint, last }, chain) => ({
      chain,
      start: hex64(BigInt(chainStart(chain, chains.length))),
      fingerprint: hex64(fingerprint),
      last: hex64(last),
    })),
    combined: hex64(combined),
    checkpoints: !withCheckpoints
      ? []
      : checkpoints(chains.length, length).map(({ at, chain, index }) => ({
          at,
          chain,
          index: hex64(BigInt(index)),
          colour: hex64(spi64(seed, BigInt(index))),
        })),
  }
}

export function parallelView({ chains, combined, checkpoints, length }: ParallelDocument, width: number, style: Style): string[] {
  type Chain = ParallelDocument['chains'][number]
  const columns: Column<Chain>[] = [
    { title: 'CHAIN', align: 'right', text: ({ chain }) => String(chain) },
    { title: 'START', align: 'right', text: ({ start }) => count(Number(start)) },
    { title: 'COLOUR', text: ({ fingerprint }) => `[${fingerprint.slice(-6)}]`, paint: (_, { fingerprint }) => style.block(fingerprint.slice(-6)) },
    { title: 'FINGERPRINT', text: ({ fingerprint }) => fingerprint },
    { title: 'LAST', text: ({ last }) => last, dropOrder: 1 },
  ]
  const at: Column<CheckpointDocument>[] = [
    { title: 'CHAIN', align: 'right', text: ({ chain }) => String(chain) },
    { title: 'CHECK', text: ({ at }) => at },
    { title: 'INDEX', align: 'right', text: ({ index }) => count(Number(index)) },
    { title: 'COLOUR', text: ({ colour }) => `[${colour.slice(-6)}]`, paint: (_, { colour }) => style.block(colour.slice(-6)) },
    { title: 'EXPECTED', text: ({ colour }) => colour },
  ]
  return [
    ...table(columns, chains, width, (head) => style.dim(head)),
    `${style.block(combined.slice(-6))} ${combined}  ${style.bold('combined')}, ${count(chains.length)} chains of ${count(length)}`,
    ...(checkpoints.length === 0 ? [] : ['', ...table(at, checkpoints, width, (head) => style.dim(head))]),
  ]
}

export function challengesOf(seed: bigint, hosts: readonly string[], rounds: number): readonly ChallengeDocument[] {
  return hosts.flatMap((host) =>
    Array.from({ length: rounds }, (_, round) => {
      const { index, expected } = challenge(seed, host, BigInt(round))
      return { host, round, index: hex64(index), expected: hex64(expected) }
    }),
  )
}

export function challengesView(challenges: readonly ChallengeDocument[], width: number, style: Style): string[] {
  if (challenges.length === 0) return []
  const columns: Column<ChallengeDocument>[] = [
    { title: 'HOST', text: ({ host }) => host, min: 8 },
    { title: 'ROUND', align: 'right', text: ({ round }) => String(round) },
    { title: 'ASKED FOR INDEX', text: ({ index }) => index },
    { title: 'COLOUR', text: ({ expected }) => `[${expected.slice(-6)}]`, paint: (_, { expected }) => style.block(expected.slice(-6)) },
    { title: 'EXPECTED', text: ({ expected }) => expected },
  ]
  return ['', ...table(columns, challenges, width, (head) => style.dim(head))]
}
