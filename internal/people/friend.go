package people

import (
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// addFriend puts other on the list of the user, and the user among those who added other.
type addFriend struct{ other ids.User }

func (o *addFriend) apply(_ *Domain, a *kernel.Apply, u ids.User) kernel.Code {
	if _, ok := openAccount(a, u); !ok {
		return kernel.UnknownUser
	}
	if o.other == u {
		return kernel.Invalid
	}
	if _, ok := openAccount(a, o.other); !ok {
		return kernel.UnknownUser
	}
	if IsFriend(a, u, o.other) {
		return kernel.OK
	}
	count := friendCount(a, u)
	if count >= MaxFriends {
		return kernel.LimitReached
	}

	a.Set(friendKey(u, o.other), marker)
	a.Set(addedByKey(o.other, u), marker)
	a.Set(friendCountKey(u), encodeCount(count+1))
	a.Emit(FriendsChanged{u})
	a.Emit(AddedMeChanged{o.other})
	return kernel.OK
}

// removeFriend takes other off the list, closed accounts too.
type removeFriend struct{ other ids.User }

func (o *removeFriend) apply(_ *Domain, a *kernel.Apply, u ids.User) kernel.Code {
	if _, ok := openAccount(a, u); !ok {
		return kernel.UnknownUser
	}
	if !IsFriend(a, u, o.other) {
		return kernel.OK
	}

	a.Delete(friendKey(u, o.other))
	a.Delete(addedByKey(o.other, u))
	if count := friendCount(a, u); count > 1 {
		a.Set(friendCountKey(u), encodeCount(count-1))
	} else {
		a.Delete(friendCountKey(u))
	}
	a.Emit(FriendsChanged{u})
	a.Emit(AddedMeChanged{o.other})
	return kernel.OK
}

// removeFriends empties the list of u.
func removeFriends(a *kernel.Apply, u ids.User) {
	friends := Friends(a, u)
	if len(friends) == 0 {
		return
	}
	for _, other := range friends {
		a.Delete(friendKey(u, other))
		a.Delete(addedByKey(other, u))
		a.Emit(AddedMeChanged{other})
	}
	a.Delete(friendCountKey(u))
}
