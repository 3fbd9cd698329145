// The English words, in a file of their own.
import chats from '../../messages/en/chats.json'
import common from '../../messages/en/common.json'
import emoji from '../../messages/en/emoji.json'
import entry from '../../messages/en/entry.json'
import errors from '../../messages/en/errors.json'
import friends from '../../messages/en/friends.json'
import info from '../../messages/en/info.json'
import more from '../../messages/en/more.json'
import people from '../../messages/en/people.json'
import room from '../../messages/en/room.json'
import shell from '../../messages/en/shell.json'

export const english = { chats, common, emoji, entry, errors, friends, info, more, people, room, shell }
