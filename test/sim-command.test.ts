import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const SIM: string = fileURLToPath(new URL('../scripts/sim.ts', import.meta.url))

function sim(...args: readonly string[]): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--conditions=sgsd-source', SIM, ...args], { encoding: 'utf8', timeout: 60_000 })
  return { status, stdout, stderr }
}

/** Seven processes on a busy core. */
const PATIENCE_MS = 120_000

describe('npm run sim', () => {
  test('--json is one line, and but for the time it took the same for the same seed', { timeout: PATIENCE_MS }, () => {
    const args = ['--nodes', '12', '--epochs', '3', '--seed', '7', '--chunks', '256', '--forgers', '0.3', '--collude', '0.2', '--json']
    const [first, second] = [sim(...args), sim(...args)].map(({ status, stdout }) => {
      expect(status).toBe(0)
      expect(stdout.split('\n')).toHaveLength(2)
      const { durationMs, cpuMs, ...report } = JSON.parse(stdout) as Record<string, unknown>
      expect(durationMs).toBeGreaterThan(0)
      expect(cpuMs).toBeGreaterThan(0)
      return report
    })
    expect(second).toEqual(first)
    expect(first).toMatchObject({
      schema: 'sgsd.sim/1',
      seed: 7,
      nodes: 12,
      epochs: 3,
      memberEpochs: 36,
      forgers: [{ id: expect.any(String) as string, excludedAfterEpochs: expect.any(Number) as number }],
      honestExcluded: 0,
      epochsCompleted: 3,
      auditCostRatio: expect.any(Number) as number,
      statesEqual: true,
      traceHash: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    })
  })

  test('says in words what came of it', () => {
    const { status, stdout } = sim('--nodes', '6', '--epochs', '2', '--chunks', '64')
    expect(status).toBe(0)
    expect(stdout).toContain('epochs completed    2, 2 of them with the true XOR')
  })

  test('--help shows examples; what cannot be is refused with status 2 and the usage', { timeout: PATIENCE_MS }, () => {
    expect(sim('--help')).toMatchObject({ status: 0, stdout: expect.stringContaining('examples:') as string })
    for (const args of [['--bogus'], ['--seed', 'x'], ['--nodes', '2'], ['--forgers', '2'], ['extra'], ['--epochs', '']]) {
      const { status, stdout, stderr } = sim(...args)
      expect([args, status, stdout]).toEqual([args, 2, ''])
      expect(stderr).toContain('usage: npm run sim')
    }
  })
})
