// The frame of a signed-in window: rail, list, and what is open, in as many panes as fit. What is seen alone on a phone is
// the main landmark there.
import { type ReactNode, useEffect } from 'react'
import { t } from '../lib/messages.ts'
import { ChatList } from '../views/chats/ChatList.tsx'
import { Banner } from './Banner.tsx'
import { useEngine, useSelect } from './context.ts'
import { toggleInfo, useInfoOpen, useLayout } from './layout.ts'
import { useGlobalKeys } from './globalKeys.tsx'
import { fetchViews, Friends, FriendsRest, Home, Later, MoreList, MorePage, Room, RoomInfo, Welcome } from './lazy.tsx'
import { Rail } from './Rail.tsx'
import { Rest } from './Rest.tsx'
import { ListSplitter, useListWidth } from './Splitter.tsx'
import css from './Shell.module.css'
import { type Route, useRoute } from './route.ts'

export function Shell() {
  const route = useRoute()
  const phone = useLayout() === 'phone'
  const style = useListWidth()
  useGlobalKeys()
  const engine = useEngine()
  useEffect(() => fetchViews(engine), [engine])
  if (phone) return <Phone route={route} />
  return (
    <div className={css.app} style={style}>
      <Rail />
      <div className={css.notice}>
        <Banner />
      </div>
      <section className={css.list} aria-label={listName(route)}>
        <Later>
          <List route={route} />
        </Later>
      </section>
      <ListSplitter />
      <main className={css.stage}>
        <Later>
          <Stage route={route} />
        </Later>
      </main>
    </div>
  )
}

function Phone({ route }: { readonly route: Route }) {
  const inside = route.at === 'room' || (route.at === 'more' && route.page !== undefined)
  return (
    <div className={css.phone}>
      <main className={css.stage}>
        <Banner />
        <Later>
          {inside ? (
            <Stage route={route} />
          ) : (
            <div className={css.list}>
              <List route={route} />
            </div>
          )}
        </Later>
      </main>
      {!inside && <Rail />}
    </div>
  )
}

function List({ route }: { readonly route: Route }): ReactNode {
  if (route.at === 'friends') return <Friends />
  if (route.at === 'more') return <MoreList />
  return <ChatList />
}

function listName(route: Route): string {
  return route.at === 'friends' ? t('shell.friendList') : route.at === 'more' ? t('shell.moreList') : t('shell.chatList')
}

function Stage({ route }: { readonly route: Route }): ReactNode {
  const alone = useAlone()
  const empty = useSelect(useEngine().rooms, (r) => r.loaded && r.lines.length === 0)
  switch (route.at) {
    case 'room':
      return <OpenRoom key={route.id} id={route.id} />
    case 'friends':
      return <FriendsRest />
    case 'more':
      return <MorePage page={route.page ?? 'screen'} />
    default:
      return alone ? <Home /> : empty ? <Welcome /> : <Rest />
  }
}

/** useAlone: nobody to talk to yet: no chats and no friends. */
function useAlone(): boolean {
  const engine = useEngine()
  const noRooms = useSelect(engine.rooms, (r) => r.loaded && r.lines.length === 0)
  const noFriends = useSelect(engine.people, (p) => p.friendsLoaded && p.friends.length === 0)
  return noRooms && noFriends
}

// One room's information in four places: beside the room, over it with a veil, or as a page.
function OpenRoom({ id }: { readonly id: string }) {
  const layout = useLayout()
  const open = useInfoOpen()
  const known = useSelect(useEngine().rooms, (r) => r.byId.has(id))
  const info = open && known
  const place = layout === 'phone' ? css.page : layout === 'wide' || layout === 'large' ? css.beside : css.over
  const covered = info && layout !== 'wide' && layout !== 'large'
  return (
    <div className={info ? `${css.split} ${css.open}` : css.split}>
      <div className={css.room} inert={covered}>
        <Room id={id} />
      </div>
      {covered && layout !== 'phone' && <div className={css.veil} onPointerDown={toggleInfo} />}
      {info && (
        <aside className={place} aria-label={t('shell.info')}>
          <Later>
            <RoomInfo room={id} onClose={toggleInfo} />
          </Later>
        </aside>
      )}
    </div>
  )
}
