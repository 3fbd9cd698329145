// Pictures of people and rooms: a soft square, never a circle. A photo if there is one, otherwise one of twelve drawings
// that depends on the id alone, so a person looks the same everywhere.
import { useEngine, usePerson, useSelect } from '../app/context.ts'
import type { RoomLine } from '../engine/types.ts'
import css from './Avatar.module.css'
import { Icon } from './Icon.tsx'

export type AvatarSize = 'xs' | 's' | 'm' | 'l' | 'xl'

const pictures = ['persimmon', 'moon', 'pine', 'wave', 'tea', 'sun', 'house', 'plum', 'boat', 'cat', 'news', 'peaks'] as const

/** pictureOf is the default picture of an id. */
export function pictureOf(id: string): (typeof pictures)[number] {
  let h = 0x811c9dc5
  for (let i = 0; i < id.length; i++) h = Math.imul(h ^ id.charCodeAt(i), 0x01000193)
  // The last bits of the hash alone are not even enough for ids that differ in one character.
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return pictures[((h ^ (h >>> 16)) >>> 0) % pictures.length]!
}

/** DefaultPicture draws the picture of an id without asking for a photo. */
export function DefaultPicture({ id, size = 'm', className = '' }: { readonly id: string; readonly size?: AvatarSize; readonly className?: string | undefined }) {
  return (
    <svg className={`${css.av} ${css[size] ?? ''} ${className}`} viewBox="0 0 48 48" aria-hidden="true">
      <use href={`#av-${pictureOf(id)}`} />
    </svg>
  )
}

/** Avatar of a person, by id. */
export function Avatar({ user, size = 'm', className = '' }: { readonly user: string; readonly size?: AvatarSize; readonly className?: string | undefined }) {
  const engine = useEngine()
  const person = usePerson(user)
  // Asking for the photo's address is what loads it; people change when it is there.
  const url = useSelect(engine.people, () => (person?.photo ? engine.photoUrl(user) : ''))
  if (person?.closed) {
    return (
      <span className={`${css.av} ${css[size] ?? ''} ${css.ghost} ${className}`} aria-hidden="true">
        <Icon name="user-round" />
      </span>
    )
  }
  if (url !== '') return <img className={`${css.av} ${css[size] ?? ''} ${className}`} src={url} alt="" width={48} height={48} draggable={false} />
  return <DefaultPicture id={user} size={size} className={className} />
}

/** RoomPicture: the peer, oneself, two members of a group, or the group's own default. */
export function RoomPicture({ line, size = 'm', className = '' }: { readonly line: RoomLine; readonly size?: 's' | 'm' | 'l'; readonly className?: string | undefined }) {
  if (line.kind !== 'group') return <Avatar user={line.peer} size={size} className={className} />
  const [first, second] = line.faces
  if (first === undefined || second === undefined) return <DefaultPicture id={line.id} size={size} className={className} />
  return (
    <span className={`${css.duo} ${css[size] ?? ''} ${className}`} aria-hidden="true">
      <Avatar user={first} />
      <Avatar user={second} />
    </span>
  )
}
