import { basename } from 'node:path'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** long files, the longest first: begun last, one of them would run alone at the end. */
const long = ['scroll', 'network', 'sites', 'machine', 'account', 'axe', 'kinds', 'trouble', 'windows', 'store', 'ops']

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = (f: TestSpecification) => {
      const i = long.indexOf(basename(f.moduleId, '.test.ts'))
      return i < 0 ? long.length : i
    }
    return files.toSorted((a, b) => place(a) - place(b))
  }
}

// Real browsers against a real server of each file's own: two files at a time, as the machine has two cores.
export default defineConfig({
  test: {
    include: [process.env['BONGHWA_SCREENS'] ? 'e2e/screens.shots.ts' : 'e2e/*.test.ts'],
    environment: 'node',
    maxWorkers: 2,
    isolate: false, // a worker's browsers are started once
    sequence: { sequencer: LongFirst },
    expect: { poll: { timeout: 60_000, interval: 100 } }, // patience with a machine that does other things too
    testTimeout: 180_000,
    hookTimeout: 180_000,
    globalSetup: ['e2e/lib/build.ts'],
    reporters: ['verbose'],
  },
})
