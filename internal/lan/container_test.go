package lan

import (
	"slices"
	"testing"
)

func TestContained(t *testing.T) {
	for _, c := range []struct {
		name  string
		files []string
		env   map[string]string
		want  bool
	}{
		{"a machine", []string{"/sys/class/net/*/device"}, nil, false},
		{"a machine without a card", nil, nil, false},
		{"Docker", []string{"/.dockerenv"}, nil, true},
		{"Docker with the machine's network", []string{"/.dockerenv", "/sys/class/net/*/device"}, nil, false},
		{"Podman", []string{"/run/.containerenv"}, map[string]string{"container": "podman"}, true},
		{"systemd-nspawn", nil, map[string]string{"container": "systemd-nspawn"}, true},
		{"Kubernetes", nil, map[string]string{"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, true},
	} {
		got := contained(func(p string) bool { return slices.Contains(c.files, p) }, func(k string) string { return c.env[k] })
		if got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
