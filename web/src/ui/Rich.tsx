// Emphasis in texts of the interface: **words** stand out.
import { Fragment, type ReactNode } from 'react'

export function rich(text: string): ReactNode {
  return text.split('**').map((part, i) => (i % 2 === 1 ? <b key={i}>{part}</b> : <Fragment key={i}>{part}</Fragment>))
}
