// Builds the binary that the tests run, unless BONGHWA_BIN names one.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export default function setup(): (() => void) | undefined {
  if (process.env['BONGHWA_BIN']) return undefined
  const dir = mkdtempSync(join(tmpdir(), 'bonghwa-bin-'))
  const bin = join(dir, 'bonghwa')
  execFileSync('go', ['build', '-o', bin, './cmd/bonghwa'], { cwd: join(import.meta.dirname, '../../..'), stdio: 'inherit', env: { ...process.env, CGO_ENABLED: '0' } })
  process.env['BONGHWA_BIN'] = bin
  return () => rmSync(dir, { recursive: true, force: true })
}
