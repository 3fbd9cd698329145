// Where other views open what has to do with people. Each of these is a dialog over what is there.
export { openAddedMe } from './AddedMe.tsx'
export { openAddFriend } from './AddFriend.tsx'
export { openInvite } from './Invite.tsx'
export { openMe } from './MeEdit.tsx'
export { openNewGroup } from './NewGroup.tsx'
export { openProfile } from './Profile.tsx'
