// Makes data.json, the emoji of the picker: node generate.mjs <folder of the npm package emojibase-data 17.0.0>.
// Names and search words are Unicode CLDR's, taken from emojibase-data (MIT; CLDR data: Unicode License v3). One string per
// group; in it one line per emoji: emoji, Korean name, Korean words, English name, English words, separated by tabs.
// Left out: skin tones, and what is younger than Unicode 15.0, because many systems have no picture for it.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const folder = process.argv[2]
if (folder === undefined) throw new Error('usage: node generate.mjs <folder of emojibase-data>')
const read = (language) => JSON.parse(readFileSync(join(folder, language, 'data.json'), 'utf8'))
const english = new Map(read('en').map((e) => [e.hexcode, e]))
const korean = read('ko')

// Faces, people, nature, food, activities, travel, objects, symbols, flags.
const order = [0, 1, 3, 4, 6, 5, 7, 8, 9]
const words = (label, tags = []) => tags.filter((w) => !label.split(/[\s:,]+/).includes(w)).join(',')
const groups = order.map((group) =>
  korean
    .filter((e) => e.group === group && e.version > 0 && e.version <= 15)
    .sort((a, b) => a.order - b.order)
    .map((e) => {
      const en = english.get(e.hexcode)
      // The package asks for the picture (U+FE0F) even where it is the default; keyboards do not.
      const char = e.emoji.replace(/(\p{Emoji_Presentation})\uFE0F/gu, '$1')
      return [char, e.label, words(e.label, e.tags), en.label, words(en.label, en.tags)].map((s) => s.normalize('NFC')).join('\t')
    })
    .join('\n'),
)
writeFileSync(new URL('data.json', import.meta.url), `[\n${groups.map((g) => JSON.stringify(g)).join(',\n')}\n]\n`)
