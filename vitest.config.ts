import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: { conditions: ['sgsd-source'] },
  ssr: { resolve: { conditions: ['sgsd-source'] } },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'test/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**', 'test/chaos/**'],
    pool: 'forks',
    maxWorkers: 2,
    execArgv: ['--conditions=sgsd-source', '--disable-warning=ExperimentalWarning'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
})
