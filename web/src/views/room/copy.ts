// What is copied when a selection reaches over several messages: who said each, when, and what of it is selected. Within one
// message it is the selected words, as the browser has them.

/** Said is a message, or what of it is selected. */
export interface Said {
  readonly name: string
  readonly time: string
  readonly text: string
}

/** transcript is "[박준호] [오전 7:39] 네", a message after the other. */
export function transcript(list: readonly Said[]): string {
  return list.map((s) => `[${s.name}] [${s.time}] ${s.text}`).join('\n')
}

/** selectedIn are the messages below root that a selection reaches, and what of their text it holds; null: all of it. */
export function selectedIn(root: Element, selection: Selection | null): readonly { readonly key: string; readonly part: string | null }[] {
  if (selection === null || selection.isCollapsed || selection.rangeCount === 0) return []
  const range = selection.getRangeAt(0)
  const out: { readonly key: string; readonly part: string | null }[] = []
  for (const line of root.querySelectorAll<HTMLElement>('[data-key]')) {
    const text = line.querySelector('[data-bubble] > p')
    if (!text || !range.intersectsNode(text)) continue
    const part = document.createRange()
    part.selectNodeContents(text)
    let whole = true
    if (part.comparePoint(range.startContainer, range.startOffset) === 0) {
      part.setStart(range.startContainer, range.startOffset)
      whole = part.startOffset === 0 && part.startContainer === (text.firstChild ?? text)
    }
    if (part.comparePoint(range.endContainer, range.endOffset) === 0) {
      part.setEnd(range.endContainer, range.endOffset)
      whole &&= part.toString() === text.textContent
    }
    const words = part.toString()
    if (words !== '') out.push({ key: line.dataset['key']!, part: whole ? null : words })
  }
  return out
}
