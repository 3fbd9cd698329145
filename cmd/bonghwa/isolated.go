package main

import (
	"errors"
	"fmt"
	"net"
	"os"
)

// isolated refuses what --isolated claims if it is not so: the flag lets a node listen without TLS and without limits.
func isolated() error {
	// Where the namespace of the machine's first process may be seen. In a container it is that of the container.
	first, err1 := os.Readlink("/proc/1/ns/net")
	own, err2 := os.Readlink("/proc/self/ns/net")
	if err2 != nil {
		return errors.New("--isolated is for drills, in a network namespace of their own: this machine has none")
	}
	if err1 == nil && first == own {
		return errors.New("--isolated is for drills: this is the machine's own network")
	}
	list, err := net.Interfaces()
	if err != nil {
		return fmt.Errorf("--isolated: %w", err)
	}
	return leadsNowhere(list)
}

// leadsNowhere says that a network has no way to anybody: a drill's has loopback, and the end of a tunnel to the drill.
func leadsNowhere(list []net.Interface) error {
	for _, i := range list {
		if i.Flags&net.FlagUp != 0 && i.Flags&(net.FlagLoopback|net.FlagPointToPoint) == 0 {
			return fmt.Errorf("--isolated is for drills: %s leads to others", i.Name)
		}
	}
	return nil
}
