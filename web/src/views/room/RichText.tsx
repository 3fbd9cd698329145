// The words of a message: links, and marks where the find bar found something. Text is only ever text; nothing in it becomes
// markup.
import { type ReactNode, memo, useMemo } from 'react'
import { linkify } from '../../lib/text.ts'
import { marks } from './find.ts'
import css from './bubble.module.css'

export const RichText = memo(function RichText({ text, query }: { readonly text: string; readonly query: string }) {
  const parts = useMemo(() => linkify(text), [text])
  return parts.map((part, i) =>
    part.href === undefined ? (
      <Marked key={i} text={part.text} query={query} />
    ) : (
      <a key={i} className={css.url} href={part.href} target="_blank" rel="noopener noreferrer">
        <Marked text={part.text} query={query} />
      </a>
    ),
  )
})

function Marked({ text, query }: { readonly text: string; readonly query: string }): ReactNode {
  if (query === '') return text
  return marks(text, query).map((p, i) => (p.hit ? <mark key={i}>{p.text}</mark> : p.text))
}
