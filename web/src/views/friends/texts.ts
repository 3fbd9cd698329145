// The Korean texts of this view come with its script.
import texts from '../../../messages/ko/friends.json'
import { bring } from '../../lib/messages.ts'

bring('friends', texts)
