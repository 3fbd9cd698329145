// Ids as the server derives them: lower-case base32 without padding; a person has 10 bytes, a room 16.
import { sha256 } from '@noble/hashes/sha2.js'

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'

export function encode(bytes: Uint8Array): string {
  let out = '', bits = 0, held = 0
  for (const b of bytes) {
    held = (held << 8) | b
    bits += 8
    while (bits >= 5) {
      bits -= 5
      out += alphabet[(held >> bits) & 31]
    }
    held &= (1 << bits) - 1
  }
  return bits > 0 ? out + alphabet[(held << (5 - bits)) & 31] : out
}

/** decode returns null for what is no canonical text. */
export function decode(text: string): Uint8Array | null {
  const out = new Uint8Array((text.length * 5) >> 3)
  let bits = 0, held = 0, at = 0
  for (const ch of text) {
    const v = alphabet.indexOf(ch)
    if (v < 0) return null
    held = (held << 5) | v
    bits += 5
    if (bits >= 8) {
      bits -= 8
      out[at++] = held >> bits
    }
    held &= (1 << bits) - 1
  }
  return encode(out) === text ? out : null
}

function sized(text: string, size: number): Uint8Array | null {
  const b = decode(text)
  return b?.length === size ? b : null
}

export const isUser = (text: string): boolean => sized(text, 10) !== null
export const isRoom = (text: string): boolean => sized(text, 16) !== null
/** isDirect: the room is a 1:1 or the self chat. */
export const isDirect = (room: string): boolean => sized(room, 16)?.[2] === 1

function room(kind: number, first: Uint8Array, second: Uint8Array): string {
  const hash = sha256(new Uint8Array([...first, ...second]))
  return encode(new Uint8Array([first[0] ?? 0, first[1] ?? 0, kind, ...hash.subarray(0, 13)]))
}

/** directRoom is the 1:1 of two people, the self chat of one; '' if one of them is no person's id. */
export function directRoom(a: string, b: string): string {
  const x = sized(a, 10), y = sized(b, 10)
  if (!x || !y) return ''
  let i = 0
  while (i < 9 && x[i] === y[i]) i++
  return (x[i] ?? 0) <= (y[i] ?? 0) ? room(1, x, y) : room(1, y, x)
}

/** groupRoom is the group that `creator` makes with 16 random bytes. */
export function groupRoom(creator: string, random: Uint8Array): string {
  const x = sized(creator, 10)
  return x ? room(2, x, random) : ''
}

/** newUser is the person that a server of a cell makes of 16 random bytes. */
export function newUser(cell: number, random: Uint8Array): string {
  return encode(new Uint8Array([cell >> 8, cell & 255, ...sha256(random).subarray(0, 8)]))
}
