package cluster

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/transport"
	"go.etcd.io/etcd/client/pkg/v3/types"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver"
	"go.etcd.io/etcd/server/v3/storage/mvcc"
)

// proposeTimeout is how long a proposal waits for its answer (docs/formats.md): longer than an election takes, short
// enough for a client to be served elsewhere within two seconds.
const proposeTimeout = 700 * time.Millisecond

// EtcdOptions say how a member runs.
type EtcdOptions struct {
	// Dir is the log's directory. It is created, and made accessible to its owner only. The caller holds a lock on it.
	Dir string
	// Name of this member in its cluster.
	Name string
	// PeerURL is where the other members reach this one ("https://10.0.0.1:2380"). Empty: a cluster of one, which listens on nothing
	// but the unix socket for etcdctl.
	PeerURL string
	// BindPeer (host:port) is where it listens, if that is not the address in PeerURL.
	BindPeer string
	// InitialCluster lists the members of a new cluster ("a=https://10.0.0.1:2380,b=..."), or with Join those of the one that
	// is joined; used by an empty directory only.
	InitialCluster string
	// Token tells clusters apart whose members have the same addresses; used by an empty directory only.
	Token string
	// Join: an empty directory becomes the member that AddLearner has announced to a running cluster.
	Join bool
	// Alone takes every other member away before it starts: the log of a cell whose other members are gone for good is read so. It
	// must not become a cell again under its old name: the others would not know.
	Alone bool
	// TLS are the PEM files under which members speak; all empty: in the open, for tests.
	TLS TLSFiles
	// Intact says whether an entry of an epoch is what was written, or is not needed; the database is checked before it is opened.
	// nil: nobody knows.
	Intact func(epoch uint32, n uint64, entry []byte) error
	// Logger gets etcd's errors. nil: slog.Default().
	Logger *slog.Logger
	// OnFatal is told, once, in one sentence, when etcd can no longer go on (a failed write to disk). The process should
	// end: until then every method returns ErrStopped. nil: the sentence is logged.
	OnFatal func(sentence string)
}

// TLSFiles are a member's certificate and key, and the authority whose certificates it accepts.
type TLSFiles struct{ CA, Cert, Key string }

// Etcd is a Log on an embedded etcd member.
type Etcd struct {
	server *etcdserver.EtcdServer
	kv     mvcc.WatchableKV
	embed  *embed.Etcd
	admin  *adminSocket
	// stopped ends when Close begins or storage fails; broken when storage has failed.
	stopped, broken chan struct{}
	stop, fail      func()
	closeOnce       sync.Once
	closeErr        error

	// reading is held (shared) around every direct read of kv, and taken by Close before the database under it goes.
	reading sync.RWMutex

	mu struct {
		sync.Mutex
		epoch uint32 // 0 before Init
	}
}

// OpenEtcd starts the member and finds the epoch. It returns when the member can read: a restarted one from its own
// disk, a new one when it has a leader. A log that was never initialised has Epoch 0: call Init.
func OpenEtcd(ctx context.Context, o EtcdOptions) (*Etcd, error) {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	// Whoever reads this directory reads everything that was said, whoever reaches its socket can change the membership.
	if err := os.Chmod(dir, 0o700); err != nil {
		return nil, err
	}
	if err := checkDatabase(dir, o.Intact); err != nil {
		return nil, err
	}
	o.Dir = dir
	if o.Logger == nil {
		o.Logger = slog.Default()
	}

	e := &Etcd{stopped: make(chan struct{}), broken: make(chan struct{})}
	e.stop = sync.OnceFunc(func() { close(e.stopped) })
	e.fail = sync.OnceFunc(func() { close(e.broken); e.stop() })
	cfg, err := memberConfig(o)
	if err != nil {
		return nil, err
	}
	var once sync.Once
	fatal := make(chan string, 1)
	cfg.ZapLoggerBuilder = embed.NewZapLoggerBuilder(etcdLogger(o.Logger, e.stopped, func(sentence string) {
		once.Do(func() {
			fatal <- sentence
			e.fail()
			if o.OnFatal != nil {
				o.OnFatal(sentence)
			} else {
				o.Logger.Error(sentence)
			}
		})
	}))

	// StartEtcd may meet a fatal fault of its own (a damaged file) and would then never return.
	started := make(chan error, 1)
	go func() {
		var err error
		e.embed, err = embed.StartEtcd(cfg)
		started <- err
	}()
	select {
	case err := <-started:
		if err != nil {
			return nil, fmt.Errorf("cannot start the log: %w", err)
		}
	case sentence := <-fatal:
		return nil, errors.New(sentence)
	}
	e.server, e.kv = e.embed.Server, e.embed.Server.KV()
	if e.admin, err = openAdminSocket(e.server, dir); err != nil {
		e.Close()
		return nil, err
	}
	if err := e.findEpoch(ctx); err != nil {
		e.Close()
		return nil, fmt.Errorf("cannot read the log: %w", err)
	}
	if o.PeerURL != "" && len(e.voters()) == 1 {
		// It was alone, or the address of the only member has changed: the others will look for it at its new one.
		if err := e.move(ctx, o.PeerURL); err != nil {
			e.Close()
			return nil, err
		}
	}
	return e, nil
}

// memberConfig: every setting that matters, each on purpose. What is not named here is etcd's default.
func memberConfig(o EtcdOptions) (*embed.Config, error) {
	c := embed.NewConfig()
	c.Name, c.Dir = o.Name, o.Dir
	if c.Name == "" {
		c.Name = "one"
	}

	// A dead leader is noticed within 300-600 ms, which the promise of a 2 s gap needs; lower, and a stalling disk or a
	// busy processor looks like death. The beat is the longest that etcd takes for that: beats are most of what a cluster
	// costs that has nothing to do (with 50 ms an eighth more). PreVote and StrictReconfigCheck stay on (defaults): a member that comes back
	// disturbs nobody, and nobody removes the quorum.
	c.TickMs, c.ElectionMs = 60, 300

	// A member that was away is sent this many raft entries before it is sent the whole database: at 2,000 an absence of
	// two seconds was enough for that.
	c.SnapshotCatchUpEntries = 5000

	// No quota: a transaction that crosses it is applied and answered with an error all the same, and then an alarm
	// stops every member. The node watches its disk itself and refuses commands in good time.
	c.QuotaBackendBytes = -1

	// An entry with its transaction around it. etcd refuses what is larger before it is proposed.
	c.MaxRequestBytes = 4 * MaxEntry

	// Compaction belongs to Trim alone; "0" means never by itself.
	c.AutoCompactionMode, c.AutoCompactionRetention = embed.CompactorModePeriodic, "0"
	// A compaction deletes in small steps, so that entries get their turn in between.
	c.CompactionBatchLimit, c.CompactionSleepInterval = 1000, 10*time.Millisecond

	// Hash checks off: they read the whole database, and the chain and the CRC of every entry do their work.
	// (The second is off by a feature gate; its interval may not be 0.)
	c.CorruptCheckTime = 0
	// BackendBatchInterval stays at its default (100 ms): longer blocks the applier for that much longer at each commit.

	// No listener of embed's for clients: the admin socket is ours, commands come by method call. A client URL is advertised
	// all the same: without one, a member that comes back with an empty disk starts as if its log had never been.
	c.ListenClientUrls = []url.URL{}
	c.AdvertiseClientUrls = []url.URL{{Scheme: "unix", Path: filepath.Join(o.Dir, SocketName)}}
	c.EnableGRPCGateway = false

	if o.PeerURL == "" {
		// A member alone needs no listener for peers: there is nothing to listen for, and a unix peer socket would have to be a file name in
		// the working directory of the process. The URL is a name in the member list until the cell grows.
		self := url.URL{Scheme: "unix", Host: "alone"}
		c.ListenPeerUrls, c.AdvertisePeerUrls = []url.URL{}, []url.URL{self}
		c.InitialCluster = c.Name + "=" + self.String()
	} else {
		u, err := url.Parse(o.PeerURL)
		if err != nil {
			return nil, errors.New("the peer URL is not a URL")
		}
		c.ListenPeerUrls, c.AdvertisePeerUrls = []url.URL{*u}, []url.URL{*u}
		c.InitialCluster = o.InitialCluster
		if o.BindPeer != "" {
			c.ListenPeerUrls = []url.URL{{Scheme: u.Scheme, Host: o.BindPeer}}
		}
	}
	c.ForceNewCluster = o.Alone
	if o.Token != "" {
		c.InitialClusterToken = o.Token
	}
	if o.Join {
		c.ClusterState = embed.ClusterStateFlagExisting
	}
	if o.TLS != (TLSFiles{}) {
		// Whoever dials checks the address in the certificate; where a caller's packets come from says nothing.
		c.PeerTLSInfo = transport.TLSInfo{
			CertFile: o.TLS.Cert, KeyFile: o.TLS.Key, TrustedCAFile: o.TLS.CA, ClientCertAuth: true, SkipClientSANVerify: true,
			MinVersion: tls.VersionTLS13,
		}
	}
	return c, nil
}

// Epoch implements Log.
func (e *Etcd) Epoch() uint32 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.mu.epoch
}

// Members implements Log.
func (e *Etcd) Members() (voters int, leader bool) {
	return len(e.voters()), e.server.Leader() == e.server.MemberID()
}

func (e *Etcd) voters() (ids []types.ID) {
	for _, m := range e.server.Cluster().Members() {
		if !m.IsLearner {
			ids = append(ids, m.ID)
		}
	}
	return ids
}

// EtcdStats are for metrics.
type EtcdStats struct {
	// DBBytes is the size of the database file, DBUsedBytes what of it is in use (the rest is reused).
	DBBytes, DBUsedBytes int64
	Leader               bool
	Term                 uint64
	// Lag is how many committed raft entries this member has still to apply.
	Lag uint64
}

// Stats reads the member's figures.
func (e *Etcd) Stats() EtcdStats {
	b := e.server.Backend()
	applied, committed := e.server.AppliedIndex(), e.server.CommittedIndex()
	_, leader := e.Members()
	s := EtcdStats{DBBytes: b.Size(), DBUsedBytes: b.SizeInUse(), Leader: leader, Term: e.server.Term()}
	if committed > applied {
		s.Lag = committed - applied
	}
	return s
}

// Close implements Log. A leader first hands over to a peer, so that the others need no election.
func (e *Etcd) Close() error {
	e.closeOnce.Do(func() {
		e.giveUpLeadership()
		e.closeErr = e.shutdown()
	})
	return e.closeErr
}

// giveUpLeadership has a deadline of its own: etcd's is seconds, and peers that stop at the same time never answer.
func (e *Etcd) giveUpLeadership() {
	if e.isBroken() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()
	_ = e.moveLeader(ctx, 250*time.Millisecond, nil) // failed: an election will do
}

// shutdown stops the member at once. Tails end by themselves; only their reads are waited for, since a deliver may
// itself be waiting for whoever closes. After a storage fault a part of etcd stands still for ever with its locks held:
// then there is nothing to wait for.
func (e *Etcd) shutdown() error {
	e.stop()
	done := make(chan struct{})
	go func() {
		defer close(done)
		e.reading.Lock() // waits for the reads under way; from now on beginRead refuses
		//lint:ignore SA2001 nothing is guarded: having had the lock is the point
		e.reading.Unlock()
		if e.admin != nil {
			e.admin.close()
		}
		e.server.HardStop()
		e.embed.Close()
	}()
	select {
	case <-done:
		return nil
	case <-e.broken:
		return ErrStopped
	}
}

// beginRead admits a direct read of kv; endRead must follow where it returns true.
func (e *Etcd) beginRead() bool {
	e.reading.RLock()
	if e.isStopped() {
		e.reading.RUnlock()
		return false
	}
	return true
}

func (e *Etcd) endRead() { e.reading.RUnlock() }

func (e *Etcd) isBroken() bool {
	select {
	case <-e.broken:
		return true
	default:
		return false
	}
}

func (e *Etcd) isStopped() bool {
	select {
	case <-e.stopped:
		return true
	case <-e.server.StopNotify():
		return true
	default:
		return false
	}
}
