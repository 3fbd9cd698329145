package main

import (
	"net"
	"testing"
)

func TestLeadsNowhere(t *testing.T) {
	lo := net.Interface{Name: "lo", Flags: net.FlagUp | net.FlagLoopback}
	tun := net.Interface{Name: "site", Flags: net.FlagUp | net.FlagPointToPoint}
	down := net.Interface{Name: "tunl0"}
	if err := leadsNowhere([]net.Interface{lo, tun, down}); err != nil {
		t.Errorf("a drill's: %v", err)
	}
	if err := leadsNowhere([]net.Interface{lo, {Name: "eth0", Flags: net.FlagUp | net.FlagBroadcast}}); err == nil {
		t.Error("a machine's is taken for a drill's")
	}
}
