// The room that the parts of the view belong to.
import { createContext, useContext } from 'react'

export const RoomIdContext = createContext('')

export function useRoomId(): string {
  return useContext(RoomIdContext)
}
