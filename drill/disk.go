package drill

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/bonghwa/bonghwa/internal/server"
)

// Scenarios about disks. Where this machine allows it, the sites' data are moved to file systems of their own, which can be
// filled to the brim and can forget what was not synced; a slow disk is a tracer that holds up every fsync.

// run runs a tool of the machine.
func run(name string, args ...string) error {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %v: %s", name, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// fileSystem is what a site's data are moved to: mount makes one below dir and mounts it.
type fileSystem struct {
	name  string
	mount func(dir, image string, anew bool) error
}

var tmpfs = fileSystem{"tmpfs", func(dir, _ string, _ bool) error {
	return run("mount", "-t", "tmpfs", "-o", "size=1g,mode=700", "bonghwa-drill", dir)
}}

var ext4 = fileSystem{"ext4 on a loop device", func(dir, image string, anew bool) error {
	if anew {
		f, err := os.Create(image)
		if err != nil {
			return err
		}
		if err := errors.Join(f.Truncate(2<<30), f.Close(), run("mkfs.ext4", "-q", "-F", image)); err != nil {
			return err
		}
	}
	return run("mount", "-o", "loop,commit=300", image, dir)
}}

// try says why a file system cannot be mounted here; empty: it can.
func (f fileSystem) try() string {
	if os.Getuid() != 0 {
		return "a file system of its own needs root"
	}
	dir, err := os.MkdirTemp("", "bonghwa-drill-try-")
	if err != nil {
		return err.Error()
	}
	defer os.RemoveAll(dir)
	at := filepath.Join(dir, "at")
	if err = os.Mkdir(at, 0o700); err == nil {
		if err = f.mount(at, filepath.Join(dir, "image"), true); err == nil {
			err = run("umount", at)
		}
	}
	if err != nil {
		return fmt.Sprintf("%s cannot be mounted here: %v", f.name, err)
	}
	return ""
}

// onto moves all sites' data onto file systems of their own, between a stop and a start in order; undo brings them back.
func (f fileSystem) onto(ctx context.Context, l *lab, _ string) (undo func() error, err error) {
	was := func(site string) string { return l.data(site) + ".was" }
	err = l.whileStopped(ctx, func(site string) error {
		data := l.data(site)
		if err := os.Rename(data, was(site)); err != nil {
			return err
		}
		if err := os.Mkdir(data, 0o700); err != nil {
			return err
		}
		if err := f.mount(data, l.image(site), true); err != nil {
			return err
		}
		l.undo = append(l.undo, func() error { return run("umount", "-l", data) })
		// Synced: what the copy loses later must be the node's own.
		return errors.Join(run("cp", "-a", was(site)+"/.", data), run("sync", "-f", data), os.RemoveAll(was(site)))
	})
	return func() error {
		err := l.whileStopped(ctx, func(site string) error {
			data := l.data(site)
			return errors.Join(run("cp", "-a", data, was(site)), run("umount", data), os.Remove(data), os.Rename(was(site), data), os.RemoveAll(l.image(site)))
		})
		if err == nil {
			l.undo = nil
		}
		return err
	}, err
}

func (l *lab) image(site string) string { return filepath.Join(l.dir, site+".image") }

// whileStopped stops all sites in order, does something to each, and starts them.
func (l *lab) whileStopped(ctx context.Context, fn func(site string) error) error {
	for _, site := range l.sites {
		if err := l.stop(site); err != nil {
			return err
		}
	}
	for _, site := range l.sites {
		if err := fn(site); err != nil {
			return err
		}
	}
	return errors.Join(l.startAll(l.sites), l.settled(ctx))
}

// leader is the site that leads.
func (l *lab) leader(ctx context.Context) (string, error) {
	var err error
	for _, site := range l.sites {
		var st server.Status
		if st, err = server.Admin(l.data(site)).Status(ctx); err != nil {
			continue
		}
		for _, one := range st.Sites {
			if one.Leader {
				return one.Site, nil
			}
		}
	}
	return "", errors.Join(errors.New("no site leads"), err)
}

// until waits for what status says.
func (l *lab) until(ctx context.Context, what string, ok func(server.Status) bool) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var last server.Status
	for {
		for _, site := range l.sites {
			if st, err := server.Admin(l.data(site)).Status(ctx); err == nil {
				if last = st; ok(st) {
					return nil
				}
				break
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s did not come about: %s", what, strings.Join(last.Words, "; "))
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// of is a site's part of a status.
func of(st server.Status, site string) server.SiteStatus {
	for _, one := range st.Sites {
		if one.Site == site {
			return one
		}
	}
	return server.SiteStatus{}
}

const (
	byFill   = "real: a tmpfs of 1 GiB is filled"
	byForget = "real: the file system is shut down without writing back (EXT4_IOC_SHUTDOWN), with SIGSTOP before and SIGKILL after"
)

// fullDisk fills the disk of the site that leads: it gives leadership away first, then takes no messages, and its people
// write elsewhere. When there is room again everything is as before.
func fullDisk(ctx context.Context, s *stage, _ string) error {
	site, err := s.l.leader(ctx)
	if err != nil {
		return err
	}
	forbidden := s.trespass(ctx)
	filler := filepath.Join(s.l.data(site), "filler")
	s.goes(site)
	fill := func(free uint64, what string) error {
		s.did(what, site, byFill)
		return fillUp(filler, s.l.data(site), free)
	}
	if err := fill(300<<20, "disk nearly full"); err != nil {
		return err
	}
	if err := s.l.until(ctx, "that a site with a disk nearly full leads no more", func(st server.Status) bool {
		one := of(st, site)
		return one.DiskLow && !one.Leader && one.State == server.SiteReady
	}); err != nil {
		return err
	}
	s.did("leads no more", site, "status")
	if err := fill(120<<20, "disk full"); err != nil {
		return err
	}
	if err := s.l.until(ctx, "that a site with a full disk takes no messages", func(st server.Status) bool { return of(st, site).DiskFull != "" }); err != nil {
		return err
	}
	s.did("takes no messages", site, "status")
	time.Sleep(s.length)
	if n := len(s.c.at(site)); n > 0 {
		s.out.Why = append(s.out.Why, fmt.Sprintf("%d people stayed at %s although it takes no messages", n, site))
	}
	s.measured()
	t := time.Now()
	if err := os.Remove(filler); err != nil {
		return err
	}
	s.did("room again", site, "real: the filler is removed")
	return errors.Join(s.returned(ctx, t), <-forbidden)
}

// fillUp makes a file grow until so many bytes of its file system are free.
func fillUp(file, dir string, free uint64) error {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	have, err := f.Stat()
	if err != nil {
		return err
	}
	now := st.Bavail * uint64(st.Bsize)
	if now <= free {
		return fmt.Errorf("%s has %d MiB free already", dir, now>>20)
	}
	return unix.Fallocate(int(f.Fd()), 0, 0, have.Size()+int64(now-free))
}

// forgotten takes the power from all sites at the same moment, and from their disks what was not synced.
func forgotten(ctx context.Context, s *stage, _ string) error {
	forbidden := s.trespass(ctx)
	time.Sleep(s.length)
	for _, site := range s.l.sites {
		s.goes(site)
		// What nobody syncs must be gone afterwards, or else this proves nothing.
		if err := os.WriteFile(s.probe(site), []byte("not synced"), 0o600); err != nil {
			return err
		}
	}
	for _, site := range s.l.sites {
		if err := s.l.signal(site, syscall.SIGSTOP); err != nil {
			return err
		}
	}
	for _, site := range s.l.sites {
		if err := shutDown(s.l.data(site)); err != nil {
			return err
		}
		s.did("power lost with what was not synced", site, byForget)
	}
	for _, site := range s.l.sites {
		s.l.kill(site)
		data := s.l.data(site)
		if err := errors.Join(run("umount", data), ext4.mount(data, s.l.image(site), false)); err != nil {
			return err
		}
		if b, err := os.ReadFile(s.probe(site)); err == nil && len(b) > 0 {
			s.out.Why = append(s.out.Why, "the disk of "+site+" forgot nothing: this proves nothing")
		}
	}
	if err := s.allBack(ctx, time.Now()); err != nil {
		return err
	}
	return <-forbidden
}

func (s *stage) probe(site string) string { return filepath.Join(s.l.data(site), "probe") }

// shutDown makes a file system forget what it has not written, as a power loss does, and refuse everything from then on.
func shutDown(dir string) error {
	const extShutdown, withoutLogFlush = 0x8004587d, 2
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	how := uint32(withoutLogFlush)
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, d.Fd(), extShutdown, uintptr(unsafe.Pointer(&how))); errno != 0 {
		return fmt.Errorf("the file system cannot be shut down: %w", errno)
	}
	return nil
}

// slowSite is the site with the slow disk.
func (l *lab) slowSite() string { return l.sites[1] }

// traced says why fsync cannot be held up here; empty: it can.
func traced() string {
	if err := run("strace", "-D", "-f", "-qq", "--seccomp-bpf", "-o", "/dev/null", "-e", "trace=fsync", "-e", "inject=fsync:delay_enter=1", "true"); err != nil {
		return fmt.Sprintf("a slow disk needs strace: %v", err)
	}
	return ""
}

// slowDown starts the slow site anew under a tracer that holds up every fsync for so long.
func slowDown(ctx context.Context, l *lab, part string) (undo func() error, err error) {
	delay, err := time.ParseDuration(part)
	if err != nil {
		return nil, err
	}
	site := l.slowSite()
	restart := func() error {
		if err := l.stop(site); err != nil {
			return err
		}
		return errors.Join(l.startAll([]string{site}), l.settled(ctx))
	}
	// With -D the tracer is the grandchild: the process is the node itself.
	line := []string{"strace", "-D", "-f", "-qq", "--seccomp-bpf", "-o", "/dev/null", "-e", "trace=fsync,fdatasync"}
	if delay > 0 {
		line = append(line, "-e", fmt.Sprintf("inject=fsync,fdatasync:delay_enter=%d", delay.Microseconds()))
	}
	l.before[site] = append(line, "--")
	undo = func() error {
		delete(l.before, site)
		return restart()
	}
	return undo, restart()
}

// slowDisk: with one slow disk of three people hardly notice; then another site burns, and the slow one is needed. With 0 ms it
// shows what the tracer costs, and nothing burns.
func slowDisk(ctx context.Context, s *stage, part string) error {
	by := "injected: strace holds up every fsync and fdatasync"
	if part == "0ms" {
		by = "injected: strace watches every fsync and fdatasync"
	}
	s.did("slow disk: "+strings.TrimSuffix(part, "ms")+" ms per fsync", s.l.slowSite(), by)
	if part == "0ms" {
		forbidden := s.trespass(ctx)
		time.Sleep(s.length)
		s.measured()
		return <-forbidden
	}
	time.Sleep(s.length)
	s.measured()
	s.slow = s.l.slowSite()
	return powerLoss(ctx, s, s.l.sites[0])
}
