// The emoji used last on this device, newest first. They are kept in the account's store as one string.

export const recentMax = 24
export const recentKey = 'emoji.recent'

export function readRecent(kept: string): readonly string[] {
  return kept === '' ? [] : kept.split(' ').filter((c) => c !== '').slice(0, recentMax)
}

/** addRecent puts an emoji first. */
export function addRecent(kept: string, char: string): string {
  return [char, ...readRecent(kept).filter((c) => c !== char)].slice(0, recentMax).join(' ')
}
