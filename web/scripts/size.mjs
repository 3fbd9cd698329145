// Prints what a first visit loads, gzipped, and fails above the limits: scripts 200 kB, styles 30 kB. Scripts are early.js,
// app.js and all that app.js imports at once; the stylesheet of the fonts is the author's and stands apart. The operators' page
// is fetched by operators only: what it loads beyond the first visit has a limit of its own.
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'

const LIMITS = { script: 200_000, style: 30_000, ops: 25_000 }
const dist = resolve(import.meta.dirname, '..', process.argv[2] ?? 'dist')

const gzipped = (name) => gzipSync(readFileSync(join(dist, name)), { level: 9 }).length

function closure(name, seen = new Set()) {
  if (seen.has(name)) return seen
  seen.add(name)
  const text = readFileSync(join(dist, name), 'utf8')
  for (const m of text.matchAll(/(?:^|[;\s}])(?:import|export)[^'"`();]*from\s*['"`]\.\/([\w.-]+\.js)['"`]|(?:^|[;\s}])import\s*['"`]\.\/([\w.-]+\.js)['"`]/g)) closure(m[1] ?? m[2], seen)
  return seen
}

const scripts = ['early.js', ...closure('app.js')]
const script = scripts.reduce((n, name) => n + gzipped(name), 0)
const style = gzipped('app.css')
const later = [...closure('Ops.js')].filter((name) => !scripts.includes(name))
const ops = later.reduce((n, name) => n + gzipped(name), 0)
console.log(`script ${(script / 1000).toFixed(1)} kB gzipped (${scripts.join(', ')}), limit ${LIMITS.script / 1000}`)
console.log(`style ${(style / 1000).toFixed(1)} kB gzipped (app.css), limit ${LIMITS.style / 1000}; fonts.css ${(gzipped('fonts/fonts.css') / 1000).toFixed(1)}`)
console.log(`operators' page ${(ops / 1000).toFixed(1)} kB gzipped (${later.join(', ')}), limit ${LIMITS.ops / 1000}`)
if (scripts.includes('Ops.js')) {
  console.error("the operators' page is in the first visit")
  process.exit(1)
}
if (script > LIMITS.script || style > LIMITS.style || ops > LIMITS.ops) {
  console.error('too large')
  process.exit(1)
}
