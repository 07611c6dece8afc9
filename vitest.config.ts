import { defineConfig } from 'vitest/config';

// Lanes: unit is pure, integration has one real neighbour, e2e has real machines; runtimes has the real pi, codex, claude
// and opencode, and is run by hand.
const lane = (name: string, options: { testTimeout: number; hookTimeout: number; maxWorkers?: number }) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    pool: 'forks' as const,
    fileParallelism: name !== 'e2e' && name !== 'runtimes',
    ...options,
  },
});

export default defineConfig({
  test: {
    reporters: ['default'],
    projects: [
      lane('unit', { testTimeout: 10_000, hookTimeout: 10_000 }),
      lane('integration', { testTimeout: 60_000, hookTimeout: 60_000, maxWorkers: 2 }),
      lane('runtimes', { testTimeout: 180_000, hookTimeout: 900_000, maxWorkers: 1 }),
      lane('e2e', { testTimeout: 300_000, hookTimeout: 600_000, maxWorkers: 1 }),
    ],
  },
});
