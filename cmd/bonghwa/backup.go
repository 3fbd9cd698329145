package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/bonghwa/bonghwa/internal/archive"
	"github.com/bonghwa/bonghwa/internal/config"
	"github.com/bonghwa/bonghwa/internal/server"
)

type backupCmd struct {
	Data string `help:"Data directory of the running server." default:"bonghwa-data" type:"path"`
	To   string `help:"Copy the backup to this new directory as well. Without it, it stays beside the data." type:"path"`

	Archive bool `help:"Put it into the archive as well; a restore then has less to replay."`
}

func (c backupCmd) Run() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	if c.To != "" {
		if err := server.CopyTarget(c.To); err != nil {
			return err
		}
	}
	take := server.Admin(c.Data).Backup
	if c.Archive {
		take = server.Admin(c.Data).BackupToArchive
	}
	b, err := take(ctx)
	if err != nil {
		return err
	}
	if c.To != "" {
		if err := server.CopyCheckpoint(b.Dir, c.To); err != nil {
			return err
		}
		b.Dir = c.To
	}
	fmt.Printf("backup of position %d:%d in %s\n", b.Manifest.Epoch, b.Manifest.N, b.Dir)
	for _, name := range []string{"people", "chat"} {
		d := b.Manifest.Domains[name]
		fmt.Printf("  %-7s %d rows, content hash %s\n", name, d.Rows, d.ContentHash)
	}
	return nil
}

// backupFlags are of serve, for a machine that is alone; a cluster's node has [backup] in its file.
type backupFlags struct {
	BackupTo          string   `name:"backup-to" help:"Keep daily checkpoints and every entry of the log in this directory or s3://bucket/prefix, besides the copies beside the data. (A cluster's node: [backup] in its file.)" placeholder:"TARGET"`
	BackupRecipient   []string `name:"backup-recipient" help:"Whom it is encrypted for: what backup-key new prints." placeholder:"age1..."`
	BackupUnencrypted bool     `name:"backup-unencrypted" help:"Do not encrypt it: whoever has the archive can read everything."`
	BackupEndpoint    string   `name:"backup-endpoint" help:"Where S3 is." placeholder:"https://s3.example.org"`
	BackupRegion      string   `name:"backup-region" help:"Region of S3."`
	BackupCredentials string   `name:"backup-credentials" help:"File with the credentials for S3; without it the environment and the usual places are asked." type:"path" placeholder:"FILE"`
	BackupDays        int      `name:"backup-days" help:"For how long it is kept." default:"30"`
}

func (c backupFlags) backup() *config.Backup {
	if c.BackupTo == "" {
		return nil
	}
	encrypt := !c.BackupUnencrypted
	return &config.Backup{To: c.BackupTo, Endpoint: c.BackupEndpoint, Region: c.BackupRegion, Credentials: c.BackupCredentials,
		Recipients: c.BackupRecipient, Encrypt: &encrypt, KeepDays: c.BackupDays}
}

// source is an archive that is read.
type source struct {
	From        string `help:"The archive: a directory, or s3://bucket/prefix. Default: what --config says." placeholder:"TARGET"`
	Identity    string `help:"File with the key of the archive (backup-key new)." type:"existingfile" placeholder:"FILE"`
	Config      string `help:"File of a cluster's node." type:"existingfile" placeholder:"FILE"`
	At          string `help:"As of this time: 2026-11-29T17:30:00+09:00, or 2026-11-29 17:30:00 of this machine's time zone. Default: everything." placeholder:"TIME"`
	Endpoint    string `help:"Where S3 is. Default: what --config says, or Amazon's." placeholder:"https://s3.example.org"`
	Region      string `help:"Region of S3."`
	Credentials string `help:"File with the credentials for S3." type:"existingfile" placeholder:"FILE"`
}

// load reads the node's file, takes from it what flags do not say, and reads the time.
func (s *source) load() (n *config.Node, at time.Time, err error) {
	if s.Config != "" {
		if n, err = config.Load(s.Config); err != nil {
			return nil, at, err
		}
		if b := n.Backup; b != nil && (s.From == "" || s.From == b.To) {
			s.From = b.To
			for _, k := range []struct{ flag, file *string }{{&s.Endpoint, &b.Endpoint}, {&s.Region, &b.Region}, {&s.Credentials, &b.Credentials}} {
				if *k.flag == "" {
					*k.flag = *k.file
				}
			}
		}
	}
	if s.From == "" {
		return nil, at, errors.New("say which archive with --from, or --config with a file that has [backup]")
	}
	at, err = parseTime(s.At)
	return n, at, err
}

func (s *source) location() archive.Location {
	return archive.Location{To: s.From, Endpoint: s.Endpoint, Region: s.Region, Credentials: s.Credentials}
}

// parseTime reads a moment with its zone, or of this machine's.
func parseTime(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	for _, form := range []string{"2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02T15:04", "2006-01-02"} {
		if t, err := time.ParseInLocation(form, s, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("--at %q is no time like 2026-11-29T17:30:00+09:00 or 2026-11-29 17:30:00", s)
}

type restoreCmd struct {
	source
	Data         string `help:"The data directory to make; must be empty or not exist. Default: what --config says." type:"path" placeholder:"DIR"`
	KeepSessions bool   `help:"Leave everybody logged in. A session that was revoked after the backup lives again."`
}

func (c restoreCmd) Run() error {
	n, at, err := c.load()
	if err != nil {
		return err
	}
	if n != nil && c.Data == "" {
		c.Data = n.Data
	}
	if c.Data == "" {
		return errors.New("say which directory to make with --data, or --config")
	}
	if c.Data, err = filepath.Abs(c.Data); err != nil {
		return err
	}
	o := server.RestoreOptions{From: c.From, Data: c.Data, KeepSessions: c.KeepSessions, Now: time.Now(), Node: n, Archive: c.location(), Identity: c.Identity, At: at}
	var r *server.Restored
	if server.HasCheckpoint(c.From) {
		if !at.IsZero() {
			return fmt.Errorf("%s is a copy of one moment: --at is for an archive", c.From)
		}
		r, err = server.Restore(o)
	} else {
		r, err = server.RestoreArchive(context.Background(), o)
	}
	if err != nil {
		return err
	}
	fmt.Printf("restored position %s (%s) into %s; epoch %d begins\n", r.At, r.Time.Format("2006-01-02 15:04:05"), c.Data, r.Epoch)
	if r.Entries > 0 {
		from := "the first entry"
		if r.Manifest != nil {
			from = fmt.Sprintf("the checkpoint of %d:%d", r.Manifest.Epoch, r.Manifest.N)
		}
		fmt.Printf("%d entries were replayed after %s, %.0f a second\n", r.Entries, from, float64(r.Entries)/max(r.Took.Seconds(), 0.001))
	}
	if r.Short != "" {
		fmt.Println("it ends there, before the time that was asked for:", r.Short)
	}
	for _, w := range r.Warnings {
		fmt.Println("note:", w)
	}
	if c.KeepSessions {
		fmt.Println("everybody stays logged in; passwords, blocks, memberships and revocations are those of the backup")
	} else {
		fmt.Println("all sessions end at the first start, because one that was revoked after the backup would live again; passwords, blocks and memberships are those of the backup")
	}
	if n != nil {
		fmt.Printf("start it with: bonghwa serve --config %s; then the other sites, with empty directories\n", relative(c.Config))
	} else {
		fmt.Printf("start it with: bonghwa serve --data %s\n", c.Data)
	}
	return nil
}

type verifyCmd struct {
	source
	All bool   `help:"From the oldest checkpoint on, and every checkpoint; otherwise from the newest."`
	Dir string `help:"Where to restore aside; what is made there is removed." type:"existingdir" placeholder:"DIR"`
}

func (c verifyCmd) Run() error {
	_, at, err := c.load()
	if err != nil {
		return err
	}
	r, err := server.VerifyArchive(context.Background(), server.VerifyOptions{Archive: c.location(), Identity: c.Identity, At: at, All: c.All, Dir: c.Dir})
	if err != nil {
		return err
	}
	fmt.Printf("%s to %s (%s): %d checkpoints, %d segments, %d entries, %d chains compared in %.1f s\n", r.From, r.To, r.Time.Format("2006-01-02 15:04:05"),
		r.Checkpoints, r.Segments, r.Entries, r.Chains, r.Took.Seconds())
	if len(r.Findings) == 0 {
		fmt.Println("everything is there and as it was")
		return nil
	}
	for _, f := range r.Findings {
		fmt.Println("-", f)
	}
	return fmt.Errorf("the archive is not whole: %d findings", len(r.Findings))
}

type keyCmd struct {
	New keyNewCmd `cmd:"" help:"Make a key, and print the recipient that nodes encrypt for. Without the key nobody can read the archive, you neither: keep it where no node is, twice."`
}

type keyNewCmd struct {
	File string `arg:"" help:"File to make; it must not exist." type:"path"`
}

func (c keyNewCmd) Run() error {
	recipient, err := archive.NewKey(c.File, time.Now())
	if err != nil {
		return err
	}
	fmt.Println(recipient)
	return nil
}

type clusterRescueCmd struct {
	Config       string `help:"File of the only site that is left. It must be stopped." required:"" type:"existingfile" placeholder:"FILE"`
	Yes          bool   `help:"Do not ask."`
	KeepSessions bool   `help:"Leave everybody logged in. A session that was revoked in the last moments may live again."`
}

func (c clusterRescueCmd) Run() error {
	n, err := config.Load(c.Config)
	if err != nil {
		return err
	}
	r, err := server.Rescue(context.Background(), server.RescueOptions{Node: n, KeepSessions: c.KeepSessions, Now: time.Now(), Logger: quiet(), Confirm: c.confirm})
	if err != nil {
		return err
	}
	fmt.Printf("%s goes on alone from position %s (%s), %d entries of it read from the log; epoch %d begins\n", n.Site, r.At, r.Time.Format("2006-01-02 15:04:05"), r.Read, r.Epoch)
	if r.Unarchived != "" {
		fmt.Println("note: the end of the old log could not be put into the archive, so that it cannot be restored from there:", r.Unarchived)
	}
	if !c.KeepSessions {
		fmt.Println("all sessions end at the first start, because one that was revoked in the last moments would live again")
	}
	fmt.Printf("start it with: bonghwa serve --config %s; then the other sites, with empty directories\n", relative(c.Config))
	return nil
}

// confirm says what is at stake, and waits for the word.
func (c clusterRescueCmd) confirm(others []string, superseded error) error {
	if superseded != nil {
		fmt.Printf("Note: %v.\nA rescue takes that back: this site then stands for the cell, and what was written in that epoch is lost. Only if that is gone for good, or was a mistake.\n", superseded)
	}
	fmt.Printf("This site goes on alone, for good. What %s acknowledged in the last moments without it is lost, and their disks can never be part of this cell again.\n", strings.Join(others, " and "))
	fmt.Println("Make sure that they are off: a site that still ran would go on with the others as another cell of the same people.")
	if c.Yes {
		return nil
	}
	fmt.Print("Type rescue to go on: ")
	var word string
	if _, err := fmt.Fscanln(os.Stdin, &word); err != nil || word != "rescue" {
		return errors.New("nothing was changed")
	}
	return nil
}
