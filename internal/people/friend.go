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
	if friendCount(a, u) >= MaxFriends {
		return kernel.LimitReached
	}

	putFriend(a, u, o.other)
	return kernel.OK
}

// putFriend puts other on the list of u, where there is room and other is not yet.
func putFriend(a *kernel.Apply, u, other ids.User) {
	a.Set(friendKey(u, other), marker)
	a.Set(addedByKey(other, u), marker)
	a.Set(friendCountKey(u), encodeCount(friendCount(a, u)+1))
	a.Emit(FriendsChanged{u})
	a.Emit(AddedMeChanged{other})
}

// befriend puts a person and each of others on one another's lists. It is the operator's, and asks nobody.
type befriend struct{ others []ids.User }

func (o *befriend) apply(_ *Domain, a *kernel.Apply, u ids.User) kernel.Code {
	if _, ok := openAccount(a, u); !ok {
		return kernel.UnknownUser
	}
	named := make(map[ids.User]bool, len(o.others))
	missing := uint32(0)
	for _, other := range o.others {
		if other == u || named[other] {
			return kernel.Invalid
		}
		named[other] = true
		if _, ok := openAccount(a, other); !ok {
			return kernel.UnknownUser
		}
		if !IsFriend(a, u, other) {
			missing++
		}
		if !IsFriend(a, other, u) && friendCount(a, other) >= MaxFriends {
			return kernel.LimitReached
		}
	}
	if friendCount(a, u)+missing > MaxFriends {
		return kernel.LimitReached
	}

	for _, other := range o.others {
		if !IsFriend(a, u, other) {
			putFriend(a, u, other)
		}
		if !IsFriend(a, other, u) {
			putFriend(a, other, u)
		}
	}
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
