// The dialogs that have to do with people; index.ts fetches them when one is opened.
export { openAddedMe } from './AddedMe.tsx'
export { openAddFriend } from './AddFriend.tsx'
export { openInvite } from './Invite.tsx'
export { openMe } from './MeEdit.tsx'
export { openNewGroup } from './NewGroup.tsx'
export { openProfile } from './Profile.tsx'
