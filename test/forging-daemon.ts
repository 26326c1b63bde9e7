/**
 * A daemon whose colour engine lies, for tests: `node test/forging-daemon.ts <data-dir>`. It is put together from the package like any other program that
 * brings engines of its own. Every fourth chunk of what it mines gets a wrong value, and its own check
 * before publishing is told the same lie: nothing in this process can know better. It ends with its standard input.
 */
import { type ColourCompute, openColourCompute } from '../packages/compute/src/index.ts'
import { startDaemon } from '../packages/daemon/src/index.ts'

const lies = new Map<bigint, bigint>()

const running = await startDaemon(process.argv[2]!, {
  config: { mine: { auto: false } },
  openColours: async (options) => lying(await openColourCompute(options), options?.engine !== 'reference'),
})
process.stdout.write(`${JSON.stringify({ multiaddrs: running.multiaddrs })}\n`)
process.stdin.on('end', () => void running.stop()).resume()
process.exitCode = await running.closed

/** @param mines - makes up new lies for runs of chunks; single ones are audits of others, where a lie would be an accusation that anybody can refute */
function lying(engine: ColourCompute, mines: boolean): ColourCompute {
  return {
    get threads() {
      return engine.threads
    },
    get engine() {
      return engine.engine
    },
    get engines() {
      return engine.engines
    },
    async chunkValues(kernel, seed, first, count, signal) {
      const values = await engine.chunkValues(kernel, seed, first, count, signal)
      for (let i = 0; i < count; i++) {
        const chunk = first + BigInt(i)
        if (mines && count > 1 && i % 4 === 0) lies.set(chunk, values[i]! ^ 0xbadn)
        if (!mines || count > 1) values[i] = lies.get(chunk) ?? values[i]!
      }
      return values
    },
    rangeXor: (...words) => engine.rangeXor(...words),
    triadic: (...words) => engine.triadic(...words),
    measure: (...words) => engine.measure(...words),
    benchEngines: (...words) => engine.benchEngines(...words),
    close: () => engine.close(),
    [Symbol.asyncDispose]: () => engine.close(),
  }
}
