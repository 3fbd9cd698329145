// Builds the binary that the tests run, unless BONGHWA_BIN names one, and keeps everything that they leave behind in one folder,
// which goes with them.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export default function setup(): () => void {
  const dir = mkdtempSync(join(tmpdir(), 'bonghwa-e2e-'))
  if (!process.env['BONGHWA_BIN']) {
    const bin = join(dir, 'bonghwa')
    execFileSync('go', ['build', '-o', bin, './cmd/bonghwa'], { cwd: join(import.meta.dirname, '../../..'), stdio: 'inherit', env: { ...process.env, CGO_ENABLED: '0' } })
    process.env['BONGHWA_BIN'] = bin
  }
  process.env['TMPDIR'] = dir
  return () => rmSync(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 })
}
