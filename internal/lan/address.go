package lan

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
)

// carrier is the address space that providers and overlay networks share among their customers (RFC 6598).
var carrier = netip.MustParsePrefix("100.64.0.0/10")

// near says that an address is this machine, or of a kind that no router passes on to the world.
func near(a netip.Addr) bool {
	a = a.Unmap()
	return a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast() || carrier.Contains(a)
}

// prefixes are the networks that this machine is in.
func prefixes() (list []netip.Prefix) {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	for _, a := range addrs {
		if p, ok := prefixOf(a); ok {
			list = append(list, p)
		}
	}
	return list
}

func prefixOf(a net.Addr) (netip.Prefix, bool) {
	n, ok := a.(*net.IPNet)
	if !ok {
		return netip.Prefix{}, false
	}
	ip, ok := netip.AddrFromSlice(n.IP)
	if !ok {
		return netip.Prefix{}, false
	}
	ones, _ := n.Mask.Size()
	return netip.PrefixFrom(ip.Unmap(), ones), true
}

// admitted says whether a peer may connect: it is near, or in a network that this machine is in. A network is asked for
// only then, because addresses change.
func admitted(peer netip.Addr, networks func() []netip.Prefix) bool {
	peer = peer.Unmap().WithZone("")
	if near(peer) {
		return true
	}
	return peer.IsValid() && slices.ContainsFunc(networks(), func(p netip.Prefix) bool {
		return p.Bits() > 0 && p.Contains(peer)
	})
}

// Addresses are this machine's addresses in its networks, the likeliest for a phone first: the one that the way to the
// world starts from, then others of cards, then those of bridges and tunnels; IPv4 before IPv6.
func Addresses() []netip.Addr {
	type found struct {
		addr netip.Addr
		rank int
	}
	var list []found
	out := outward()
	ifs, err := net.Interfaces()
	if err != nil {
		return nil
	}
	for _, i := range ifs {
		if i.Flags&net.FlagUp == 0 || i.Flags&net.FlagLoopback != 0 {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil {
			continue
		}
		for _, a := range addrs {
			p, ok := prefixOf(a)
			if !ok || p.Addr().IsLinkLocalUnicast() {
				continue
			}
			rank := 0
			switch {
			case p.Addr() == out:
			case p.Addr().Is4():
				rank = 1
			default:
				rank = 2
			}
			if p.Addr() != out && virtual(i.Name) {
				rank += 2
			}
			list = append(list, found{p.Addr(), rank})
		}
	}
	slices.SortStableFunc(list, func(a, b found) int { return cmp.Or(a.rank-b.rank, a.addr.Compare(b.addr)) })
	var addrs []netip.Addr
	for _, f := range list {
		if !slices.Contains(addrs, f.addr) {
			addrs = append(addrs, f.addr)
		}
	}
	return addrs
}

// virtual says that an interface belongs to containers, virtual machines or tunnels.
func virtual(name string) bool {
	for _, p := range []string{"docker", "br-", "veth", "virbr", "vmnet", "tun", "tap", "wg", "cni", "flannel", "utun"} {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

// outward is the address from which this machine would speak to the world. Asking sends nothing: a UDP socket only
// looks up the way. The address asked about is one of documentation (RFC 5737).
func outward() netip.Addr {
	c, err := net.Dial("udp4", "192.0.2.1:9")
	if err != nil {
		return netip.Addr{}
	}
	defer c.Close()
	a, ok := c.LocalAddr().(*net.UDPAddr)
	if !ok {
		return netip.Addr{}
	}
	return a.AddrPort().Addr().Unmap()
}

// hosts are the names by which other machines may find this one.
func hosts() []string {
	name, err := os.Hostname()
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if err != nil || name == "" || name == "localhost" || !plainName(name) {
		return []string{"localhost"}
	}
	list := []string{"localhost", name}
	short, _, _ := strings.Cut(name, ".")
	if short != name {
		list = append(list, short)
	}
	if !strings.HasSuffix(name, ".local") {
		list = append(list, short+".local")
	}
	return list
}

// CheckHost refuses what is neither an address nor a name: a certificate would be made for it that no browser takes, or a new one with
// each look.
func CheckHost(s string) error {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" && !a.IsUnspecified() {
		return nil
	}
	if s == "" || strings.Trim(s, ".") == "" || !plainName(strings.ReplaceAll(strings.ToLower(s), "_", "-")) {
		return fmt.Errorf("%q is neither an address nor a name, such as 192.168.0.10 or chat.local: without https://, without port", s)
	}
	return nil
}

func plainName(s string) bool {
	for _, c := range []byte(s) {
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '.') {
			return false
		}
	}
	return len(s) <= 253
}
