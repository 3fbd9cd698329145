import { defineConfig } from 'vitest/config'

// What `make bench-web` runs: measures, not tests. No part of CI.
export default defineConfig({
  test: {
    include: ['e2e/measure/*.measure.ts'],
    environment: 'node',
    fileParallelism: false,
    testTimeout: 7_200_000,
    hookTimeout: 600_000,
    globalSetup: ['e2e/lib/build.ts'],
    reporters: ['verbose'],
  },
})
