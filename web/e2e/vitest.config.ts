import { defineConfig } from 'vitest/config'

// Real browsers against a real server of each file's own: two files at a time, as the machine has two cores.
export default defineConfig({
  test: {
    include: [process.env['BONGHWA_SCREENS'] ? 'e2e/screens.shots.ts' : 'e2e/*.test.ts'],
    environment: 'node',
    maxWorkers: 2,
    testTimeout: 180_000,
    hookTimeout: 180_000,
    globalSetup: ['e2e/lib/build.ts'],
    reporters: ['verbose'],
  },
})
