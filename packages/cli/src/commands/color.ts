import { hex64, rgb, spi64, turbo32 } from '@sgsd/color'
import type { StatusDocument } from '@sgsd/daemon'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { addLeaf, bigNumber, type CommonOptions, controlOf, optionsOf, printJson, wholeNumber } from '../leaf.ts'
import { PUBLISHED_SEED } from '../published.ts'
import { hex } from '../text/figures.ts'

const MAX_COUNT = 10_000

interface ColorFlags extends CommonOptions {
  readonly seed?: bigint
  readonly mesh?: boolean
  readonly kernel: 'spi64' | 'turbo32'
  readonly count: number
}

export function addColor(program: Command, context: Context): void {
  const command = addLeaf(program, {
    name: 'color',
    arguments: [['<index>', 'index of the colour: decimal, 0x… or 2^40']],
    summary: 'the colour at an index of the stream',
    details: 'Its low 24 bits are what people see of it.',
    examples: ['sgsd color 69', 'sgsd color 0 --count 8 --seed 0', 'sgsd color 2^40 --mesh'],
  })
  command
    .option('--seed <number>', `colour seed (default: ${PUBLISHED_SEED})`, bigNumber)
    .option('--mesh', 'the seed of the mesh whose daemon runs here')
    .option('--count <count>', 'so many consecutive colours', wholeNumber(1, MAX_COUNT), 1)
  command.addOption(command.createOption('--kernel <kernel>', 'colour kernel').choices(['spi64', 'turbo32']).default('spi64'))
  command.action(async (text: string, _flags, self: Command) => {
    const flags = optionsOf<ColorFlags>(self)
    const first = bigNumber(text)
    const seed = flags.mesh === true ? await meshSeed(context, flags) : (flags.seed ?? PUBLISHED_SEED)
    const colours = Array.from({ length: flags.count }, (_, step) => {
      const index = BigInt.asUintN(64, first + BigInt(step))
      const value = flags.kernel === 'spi64' ? spi64(seed, index) : turbo32(seed, index)
      return { index: hex64(index), colour: flags.kernel === 'spi64' ? hex64(value) : hex(value, 8), rgb: rgb(value) }
    })
    if (flags.json === true) return printJson(context, { schema: 'sgsd.color/1', kernel: flags.kernel, seed: hex64(seed), colours })
    for (const { index, colour, rgb: parts } of colours) {
      context.terminal.print(`${context.terminal.out.block(colour.slice(-6))} ${colour}  rgb ${parts.join(' ')}  index ${BigInt(index)}`)
    }
  })
}

async function meshSeed(context: Context, flags: ColorFlags): Promise<bigint> {
  return BigInt((await (await controlOf(context, flags)).get<StatusDocument>('/v1/status', context.signal)).colours.seed)
}
