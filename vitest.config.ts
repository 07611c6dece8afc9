import { defineConfig } from 'vitest/config';

// Lanes: unit is pure, integration has one real neighbour, e2e has real machines; runtimes has the real pi, codex, claude
// and opencode, and is run by hand. A test's time is only when to give it up: what it waits for has deadlines of its own.
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
      lane('unit', { testTimeout: 60_000, hookTimeout: 60_000 }),
      lane('integration', { testTimeout: 240_000, hookTimeout: 240_000, maxWorkers: 2 }),
      lane('runtimes', { testTimeout: 180_000, hookTimeout: 900_000, maxWorkers: 1 }),
      lane('e2e', { testTimeout: 900_000, hookTimeout: 900_000, maxWorkers: 1 }),
    ],
  },
});
