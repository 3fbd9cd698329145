import { defineConfig } from 'vitest/config'

// Real browsers against a real server: one test at a time, because the machine has two cores and the tests kill servers.
export default defineConfig({
  test: {
    include: ['e2e/**/*.test.ts'],
    environment: 'node',
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 180_000,
    globalSetup: ['e2e/lib/build.ts'],
    reporters: ['verbose'],
  },
})
