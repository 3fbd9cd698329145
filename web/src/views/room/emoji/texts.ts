// The Korean texts of this view come with its script.
import texts from '../../../../messages/ko/emoji.json'
import { bring } from '../../../lib/messages.ts'

bring('emoji', texts)
