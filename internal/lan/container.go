package lan

import (
	"os"
	"path/filepath"
)

// Contained says that this process runs in a container with a network of its own. Its addresses are then of no use to a phone, and
// whoever comes in by a published port may look as if they came from the container's network, so near (admitted) says nothing.
func Contained() bool {
	return contained(func(path string) bool {
		found, err := filepath.Glob(path)
		return err == nil && len(found) > 0
	}, os.Getenv)
}

// contained goes by what engines leave in a container: Docker and Podman a file, Podman and systemd-nspawn a variable, Kubernetes
// another one. A card that is a device belongs to the machine: the container shares its network.
func contained(exists func(pattern string) bool, env func(string) string) bool {
	in := exists("/.dockerenv") || exists("/run/.containerenv") || env("container") != "" || env("KUBERNETES_SERVICE_HOST") != ""
	return in && !exists("/sys/class/net/*/device")
}
