// What became of an invitation.
import type { Invitation } from '../../engine/types.ts'

/** InvitationState: only `open` ones let somebody in. */
export type InvitationState = 'open' | 'used' | 'expired' | 'revoked'

export function invitationState(i: Invitation, at: number): InvitationState {
  if (i.revoked) return 'revoked'
  if (i.used >= i.uses) return 'used'
  return i.until <= at ? 'expired' : 'open'
}
