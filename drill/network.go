package drill

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"
)

// people is where connections come from that belong to no site.
const people = "people"

// way is a direction.
type way struct{ from, to string }

// network is what stands between the sites, and between people and sites.
type network interface {
	// set closes or opens ways.
	set(cut bool, ways ...way)
	// weather is how the network between sites is: its one-way delay, and what share is lost; where a relay of connections cannot
	// lose anything it comes after a time of repetition.
	weather(delay time.Duration, loss float64, repeat time.Duration)
	// enter moves the calling thread, which must be locked, to where a site's process is to be started.
	enter(site string) error
	// flags are what a node needs to be told of it.
	flags() []string
	// runs says which process a site is.
	runs(site string, pid int)
	// dial opens a connection from where people are.
	dial(ctx context.Context, network, addr string) (net.Conn, error)
	// words say what the network is, and by what it loses things.
	words() (network, by string)
	close()
}

// namespaceNet are the addresses inside network namespaces, which nobody outside sees.
const namespaceNet = "10.77.77"

// choose makes the truest network that this process may make.
func choose(sites, hosts []string, peoplesHost string) network {
	if os.Geteuid() == 0 {
		if n, err := newNamespaces(delay, sites, hosts, peoplesHost); err == nil {
			return n
		}
	}
	return newRelay(delay)
}

// transport is for clients of people.
func transport(n network, idle int) *http.Transport {
	return &http.Transport{MaxIdleConnsPerHost: idle, DialContext: n.dial}
}

func there(delay time.Duration) string {
	return fmt.Sprintf("%v there and back between sites", 2*delay)
}
