import { describe, expect, it } from 'vitest'
import { freshMs, heardMs } from './people.ts'
import { line, me, person, World } from './testing.ts'

function world(): World {
  const w = new World()
  for (const id of [me, 'bob', 'eve']) w.people.set(id, person(id))
  w.friends = ['bob']
  return w
}

describe('people', () => {
  it('reads the lists at the welcome and who is wanted, each once', async () => {
    const w = world()
    expect(w.model.people.get().friendsLoaded).toBe(false)
    w.begin(line('r'))
    await w.rest()
    w.calls.length = 0
    w.model.wantPeople(['eve', 'bob', me, ''])
    w.model.wantPeople(['eve'])
    await w.rest()
    expect(w.calls).toEqual(['users 1'])
    const s = w.model.people.get()
    expect([s.friends, s.friendsLoaded, s.byId.get('eve')!.name, s.byId.get(me)!.id]).toEqual([['bob'], true, 'EVE', me])
  })

  it('asks for at most 200 at a time, and for nobody twice who does not exist', async () => {
    const w = world()
    w.begin()
    await w.rest()
    w.calls.length = 0
    const many = Array.from({ length: 450 }, (_, i) => `u${i}`)
    w.model.wantPeople(many)
    await w.rest()
    expect(w.calls).toEqual(['users 200', 'users 200', 'users 50'])
    expect(w.model.people.get().byId.get('u3')).toMatchObject({ closed: true, name: '' })
    w.model.wantPeople(many)
    await w.rest()
    expect(w.calls.length).toBe(3)
  })

  it('tries again after the next welcome, not at every drawing', async () => {
    const w = world()
    w.down = true
    w.begin()
    w.model.wantPeople(['eve'])
    await w.rest()
    const calls = w.calls.length
    w.model.wantPeople(['eve'])
    await w.rest()
    expect(w.calls.length).toBe(calls)
    w.down = false
    w.welcome()
    await w.rest()
    expect([w.model.people.get().byId.has('eve'), w.model.people.get().friendsLoaded]).toEqual([true, true])
  })

  it('reads again what changed and keeps the objects of what did not', async () => {
    const w = world()
    w.begin()
    w.model.wantPeople(['eve'])
    await w.rest()
    const before = w.model.people.get()
    w.welcome()
    await w.rest()
    expect(w.model.people.get()).toBe(before)
    w.people.set('bob', person('bob', { name: '밥' }))
    w.model.input({ t: 'people', me: false, friends: false, devices: false, blocked: false, users: ['bob'] })
    await w.rest()
    const after = w.model.people.get()
    expect([after.byId.get('bob')!.name, after.byId.get('eve') === before.byId.get('eve'), after.friends === before.friends]).toEqual(['밥', true, true])
    w.friends = ['bob', 'eve']
    w.model.input({ t: 'people', me: true, friends: true, devices: false, blocked: false, users: [] })
    await w.rest()
    expect(w.model.people.get().friends).toEqual(['bob', 'eve'])
  })

  it('reads people again who are shown a while later, write, or were shown before a break', async () => {
    const w = world()
    const r = w.room('r')
    w.begin(r.line())
    w.model.wantPeople(['eve'])
    await w.rest()
    const name = (id: string): string => w.model.people.get().byId.get(id)!.name
    const rename = (to: string): void => {
      w.people.set('eve', person('eve', { name: to }))
      w.calls.length = 0
    }
    rename('이브')
    w.model.wantPeople(['eve'])
    await w.rest()
    expect([name('eve'), w.calls]).toEqual(['EVE', []])
    w.now += freshMs
    w.model.wantPeople(['eve'])
    await w.rest()
    expect([name('eve'), w.calls]).toEqual(['이브', ['users 1']])

    rename('Eve')
    w.now += heardMs
    w.model.input({ t: 'message', message: r.text('eve', 'hello') })
    await w.rest()
    expect(name('eve')).toBe('Eve')

    rename('이브 2')
    w.welcome()
    await w.rest()
    expect([name('eve'), w.calls.filter((c) => c.startsWith('users'))]).toEqual(['이브 2', ['users 2']])
  })

  it('asks once more about who changes while being asked about, and not about strangers', async () => {
    const w = world()
    w.begin()
    await w.rest()
    w.auto = false
    const told = (id: string): void => w.model.input({ t: 'people', me: false, friends: false, devices: false, blocked: false, users: [id] })
    w.calls.length = 0
    w.model.wantPeople(['eve'])
    w.pending[0]!.made!()
    w.people.set('eve', person('eve', { name: '이브' }))
    told('eve')
    told('kim')
    w.auto = true
    w.pending[0]!.deliver()
    await w.rest()
    expect(w.model.people.get().byId.get('eve')!.name).toBe('이브')
    expect(w.calls).toEqual(['users 1', 'users 1'])
  })

  it('knows who is online only while it is itself', async () => {
    const w = world()
    w.begin()
    w.online = ['bob']
    w.model.wantPresence(['bob', 'eve'])
    await w.rest()
    expect([...w.model.people.get().online]).toEqual(['bob'])
    w.online = ['eve']
    w.model.wantPresence(['eve'])
    await w.rest()
    expect([...w.model.people.get().online].sort()).toEqual(['bob', 'eve'])
    w.model.input({ t: 'connection', state: 'reconnecting', since: 0, site: 0 })
    expect(w.model.people.get().online.size).toBe(0)
    w.calls.length = 0
    w.model.wantPresence(['eve'])
    expect(w.calls).toEqual([])
  })

  it('reads people of the store again, once, when they are shown', async () => {
    const w = world()
    w.model.seedPeople({ people: [person('eve', { name: 'before' }), person('kim')], friends: null, addedMe: [], blocked: null })
    w.model.wantPeople(['eve'])
    expect(w.model.people.get().byId.get('eve')!.name).toBe('before')
    w.begin()
    await w.rest()
    expect(w.model.people.get().byId.get('eve')!.name).toBe('EVE')
    w.calls.length = 0
    w.model.wantPeople(['eve'])
    await w.rest()
    expect(w.calls).toEqual([])
  })

  it('begins with what the store remembers, without overwriting what is known better', async () => {
    const w = world()
    w.begin()
    await w.rest()
    w.model.seedPeople({ people: [person('bob', { name: 'old' }), person('kim')], friends: ['old'], addedMe: ['kim'], blocked: ['old'] })
    const s = w.model.people.get()
    expect([s.byId.get('bob')!.name, s.byId.get('kim')!.name, s.friends, s.addedMe, s.blocked]).toEqual(['BOB', 'KIM', ['bob'], ['kim'], []])
  })
})
