// What can be an 아이디: 4-20 of a-z 0-9 . _, lower case.

/** toHandle is what was meant: without spaces and a leading @, lower case, and in the letters of a keyboard (ａ is a). */
export function toHandle(typed: string): string {
  return typed.normalize('NFKC').replace(/\s+/g, '').replace(/^@/, '').toLowerCase()
}

/** handleState: short while it can still become one. */
export function handleState(handle: string): 'empty' | 'short' | 'right' | 'wrong' {
  if (handle === '') return 'empty'
  if (!/^[a-z0-9._]{1,20}$/.test(handle)) return 'wrong'
  return handle.length < 4 ? 'short' : 'right'
}
