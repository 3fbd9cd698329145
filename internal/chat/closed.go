package chat

import (
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// IsClosed says whether CloseUser of a person was applied.
func IsClosed(r kernel.Reader, user ids.User) bool { return isClosed(r, user) }
