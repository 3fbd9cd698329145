package people

import (
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// Operator is the role of people who may see and do what the operators' page shows. It is the only role there is.
const Operator = "operator"

// Words for acts that this domain writes itself; the others are the callers'.
const (
	ActGranted = "granted"
	ActRevoked = "revoked"
)

// grantRole gives somebody a role. The grant and its act are one.
type grantRole struct {
	whom       ids.User
	role, site string
}

func (o *grantRole) apply(_ *Domain, a *kernel.Apply, _ ids.User) kernel.Code {
	if o.role != Operator {
		return kernel.Invalid
	}
	acc, ok := openAccount(a, o.whom)
	if !ok {
		return kernel.UnknownUser
	}
	if IsOperator(a, o.whom) {
		return kernel.OK
	}
	a.Set(operatorKey(o.whom), encodeOperator(now(a)))
	putAct(a, Act{Site: o.site, What: ActGranted, On: acc.Handle})
	a.Emit(AccountChanged{o.whom, false})
	return kernel.OK
}

// revokeRole takes a role back; it binds from here on.
type revokeRole struct {
	whom       ids.User
	role, site string
}

func (o *revokeRole) apply(_ *Domain, a *kernel.Apply, _ ids.User) kernel.Code {
	if o.role != Operator {
		return kernel.Invalid
	}
	acc, ok := openAccount(a, o.whom)
	if !ok {
		return kernel.UnknownUser
	}
	if !IsOperator(a, o.whom) {
		return kernel.OK
	}
	a.Delete(operatorKey(o.whom))
	putAct(a, Act{Site: o.site, What: ActRevoked, On: acc.Handle})
	a.Emit(AccountChanged{o.whom, false})
	return kernel.OK
}

// IsOperator says whether somebody has the role now.
func IsOperator(r kernel.Reader, u ids.User) bool {
	_, ok := r.Get(operatorKey(u))
	return ok
}

// OperatorSince is one of the operators.
type OperatorSince struct {
	User ids.User
	// Since is Unix ms.
	Since uint64
}

// Operators lists who has the role, by id. They are few.
func Operators(r kernel.Reader) (all []OperatorSince) {
	prefix := []byte{rowOperator}
	r.Scan(prefix, after(prefix), func(k, v []byte) bool {
		o := OperatorSince{Since: must(decodeOperator(v))}
		copy(o.User[:], k[1:])
		all = append(all, o)
		return true
	})
	return all
}
