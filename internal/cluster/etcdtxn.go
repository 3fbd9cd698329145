package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/server/v3/storage/mvcc"
)

// retryPause keeps a caller that repeats at once from burning a processor while etcd answers "too many requests".
const retryPause = 5 * time.Millisecond

// errEpochExists: the log has this epoch's successor already.
var errEpochExists = errors.New("the log already has a later epoch")

// Init creates an epoch with its entry 1, in one transaction. It succeeds, too, when the epoch exists already: every
// member of a new cell may call it. An epoch below the current one is refused. It returns when the outcome is certain or
// ctx ends.
func (e *Etcd) Init(ctx context.Context, epoch uint32, entry []byte) error {
	if len(entry) > MaxEntry {
		return ErrTooLarge
	}
	for {
		current, err := e.readEpoch(ctx)
		if err != nil {
			return err
		}
		if current > epoch {
			return errEpochExists
		}
		if current == epoch {
			e.setEpoch(epoch)
			return nil
		}
		guard := versionIs([]byte(epochKey), 0)
		if current != 0 {
			guard = valueIs([]byte(epochKey), epochValue(current))
		}
		// The answer is read from the log by the next round, whatever this one says.
		_, err = e.attempt(ctx, &pb.TxnRequest{
			Compare: []*pb.Compare{versionIs(logKey(epoch), 0), guard},
			Success: []*pb.RequestOp{put(logKey(epoch), entry), put([]byte(epochKey), epochValue(epoch))},
		})
		if err != nil && !errors.Is(err, ErrUnknownOutcome) {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// Found creates the first epoch of a new cell. Members that form a cell together all call it; the first one wins, and the
// others take its epoch.
func (e *Etcd) Found(ctx context.Context, epoch uint32, entry []byte) error {
	current, err := e.readEpoch(ctx)
	for err == nil && current == 0 {
		_, err = e.attempt(ctx, &pb.TxnRequest{
			Compare: []*pb.Compare{versionIs([]byte(epochKey), 0)},
			Success: []*pb.RequestOp{put(logKey(epoch), entry), put([]byte(epochKey), epochValue(epoch))},
		})
		if err == nil || errors.Is(err, ErrUnknownOutcome) {
			current, err = e.readEpoch(ctx)
		}
	}
	if err == nil {
		e.setEpoch(current)
	}
	return err
}

// findEpoch takes the highest log/ key, from this member's own disk if it has one, else from the quorum. It returns with
// epoch 0 when the log was never initialised.
func (e *Etcd) findEpoch(ctx context.Context) error {
	res, err := e.kv.Range(ctx, []byte(logPrefix), []byte(logEnd), mvcc.RangeOptions{FastKeysOnly: true})
	if err != nil {
		return err
	}
	var epoch uint32
	for _, kv := range res.KVs {
		n, err := parseLogKey(kv.Key)
		if err != nil {
			return err
		}
		epoch = max(epoch, n)
	}
	if epoch == 0 {
		if epoch, err = e.readEpoch(ctx); err != nil {
			return err
		}
	}
	e.setEpoch(epoch)
	return nil
}

// readEpoch reads the current epoch linearizably, 0 if there is none.
func (e *Etcd) readEpoch(ctx context.Context) (uint32, error) {
	r, err := e.read(ctx, get([]byte(epochKey)))
	if err != nil {
		return 0, err
	}
	return epochFrom(r.Responses[0])
}

func (e *Etcd) setEpoch(epoch uint32) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.mu.epoch = epoch
}

// Producer implements Log.
func (e *Etcd) Producer(ctx context.Context, node NodeID) (ProducerState, error) {
	r, err := e.read(ctx, get(producerKey(node)), get([]byte(epochKey)))
	if err != nil {
		return ProducerState{}, err
	}
	return producerFrom(r.Responses)
}

// OpenProducer implements Log.
func (e *Etcd) OpenProducer(ctx context.Context, node NodeID, version int64, inc Incarnation) (ProducerState, error) {
	key := producerKey(node)
	r, err := e.attempt(ctx, &pb.TxnRequest{
		Compare: []*pb.Compare{versionIs(key, version)},
		Success: []*pb.RequestOp{put(key, inc[:]), get([]byte(epochKey))},
		Failure: []*pb.RequestOp{get(key), get([]byte(epochKey))},
	})
	if err != nil {
		return ProducerState{}, err
	}
	if !r.Succeeded {
		return producerFrom(r.Responses)
	}
	epoch, err := epochFrom(r.Responses[1])
	return ProducerState{Version: version + 1, Incarnation: inc, Epoch: epoch}, err
}

// Propose implements Log.
func (e *Etcd) Propose(ctx context.Context, p Proposal) (in bool, state ProducerState, err error) {
	if len(p.Entry) > MaxEntry {
		return false, state, ErrTooLarge
	}
	key := producerKey(p.Node)
	r, err := e.attempt(ctx, &pb.TxnRequest{
		Compare: []*pb.Compare{versionIs(key, p.Version), valueIs([]byte(epochKey), epochValue(p.Epoch))},
		Success: []*pb.RequestOp{put(logKey(p.Epoch), p.Entry), put(key, p.Incarnation[:])},
		Failure: []*pb.RequestOp{get(key), get([]byte(epochKey))},
	})
	if err != nil {
		return false, state, err
	}
	if r.Succeeded {
		return true, ProducerState{Version: p.Version + 1, Incarnation: p.Incarnation, Epoch: p.Epoch}, nil
	}
	state, err = producerFrom(r.Responses)
	return false, state, err
}

// Head implements Log.
func (e *Etcd) Head(ctx context.Context) (uint64, error) {
	op := get(logKey(e.Epoch()))
	op.GetRequestRange().KeysOnly = true
	r, err := e.read(ctx, op)
	if err != nil {
		return 0, err
	}
	kvs := r.Responses[0].GetResponseRange().Kvs
	if len(kvs) == 0 {
		return 0, errNoEpoch
	}
	return uint64(kvs[0].Version), nil
}

// SetNode implements Log.
func (e *Etcd) SetNode(ctx context.Context, node Node) error {
	return e.insist(ctx, put(nodeKey(node.ID), nodeValue(node)))
}

// insist writes without a guard, again and again until it is known to be in.
func (e *Etcd) insist(ctx context.Context, op *pb.RequestOp) error {
	for {
		_, err := e.attempt(ctx, &pb.TxnRequest{Success: []*pb.RequestOp{op}})
		if !errors.Is(err, ErrUnknownOutcome) || ctx.Err() != nil {
			return err // written; or the caller's time is up
		}
	}
}

// Nodes implements Log.
func (e *Etcd) Nodes(ctx context.Context) ([]Node, error) {
	r, err := e.read(ctx, &pb.RequestOp{Request: &pb.RequestOp_RequestRange{
		RequestRange: &pb.RangeRequest{Key: []byte(nodeStart), RangeEnd: []byte(nodeEnd)}}})
	if err != nil {
		return nil, err
	}
	return parseNodes(r.Responses[0].GetResponseRange().Kvs)
}

// KnownNodes is Nodes as this member's own copy has it, which may be behind.
func (e *Etcd) KnownNodes() (nodes []Node, err error) {
	if !e.beginRead() {
		return nil, ErrStopped
	}
	defer e.endRead()
	res, err := e.kv.Range(context.Background(), []byte(nodeStart), []byte(nodeEnd), mvcc.RangeOptions{})
	if err != nil {
		return nil, err
	}
	return parseNodes(res.KVs)
}

func parseNodes(kvs []*mvccpb.KeyValue) (nodes []Node, err error) {
	for _, kv := range kvs {
		n, err := parseNode(kv.Key, kv.Value)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, n)
	}
	return nodes, nil
}

// attempt proposes a transaction once: until its answer, a change of leader (which may have lost it), 700 ms, or the end
// of ctx. No error of etcd's means "not applied".
func (e *Etcd) attempt(ctx context.Context, r *pb.TxnRequest) (*pb.TxnResponse, error) {
	if e.isStopped() {
		return nil, ErrStopped
	}
	changed := e.server.LeaderChangedNotify()
	one, cancel := context.WithTimeout(ctx, proposeTimeout)
	defer cancel()
	go func() {
		select {
		case <-changed:
		case <-e.stopped:
		case <-one.Done():
		}
		cancel()
	}()
	resp, err := e.server.Txn(one, r)
	if err == nil {
		return resp, nil
	}
	if e.isStopped() {
		return nil, ErrStopped
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnknownOutcome, ctx.Err())
	}
	if one.Err() == nil {
		e.pause(one)
	}
	return nil, fmt.Errorf("%w: %v", ErrUnknownOutcome, err)
}

// read makes a linearizable read of one moment, repeated until it succeeds, ctx ends or the log is closed.
func (e *Etcd) read(ctx context.Context, ops ...*pb.RequestOp) (*pb.TxnResponse, error) {
	ctx, cancel := e.untilStopped(ctx)
	defer cancel()
	for {
		resp, err := e.server.Txn(ctx, &pb.TxnRequest{Success: ops})
		if err == nil {
			return resp, nil
		}
		if err := e.ended(ctx); err != nil {
			return nil, err
		}
		e.pause(ctx)
	}
}

// untilStopped derives a context that ends with the member too.
func (e *Etcd) untilStopped(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-e.stopped:
		case <-e.server.StopNotify():
		case <-ctx.Done():
		}
		cancel()
	}()
	return ctx, cancel
}

// ended says why work under untilStopped must end, nil if it need not.
func (e *Etcd) ended(ctx context.Context) error {
	if e.isStopped() {
		return ErrStopped
	}
	return ctx.Err()
}

func (e *Etcd) pause(ctx context.Context) {
	t := time.NewTimer(retryPause)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

func put(key, value []byte) *pb.RequestOp {
	return &pb.RequestOp{Request: &pb.RequestOp_RequestPut{RequestPut: &pb.PutRequest{Key: key, Value: value}}}
}

func get(key []byte) *pb.RequestOp {
	return &pb.RequestOp{Request: &pb.RequestOp_RequestRange{RequestRange: &pb.RangeRequest{Key: key}}}
}

func versionIs(key []byte, version int64) *pb.Compare {
	return &pb.Compare{Key: key, Target: pb.Compare_VERSION, Result: pb.Compare_EQUAL, TargetUnion: &pb.Compare_Version{Version: version}}
}

func valueIs(key, value []byte) *pb.Compare {
	return &pb.Compare{Key: key, Target: pb.Compare_VALUE, Result: pb.Compare_EQUAL, TargetUnion: &pb.Compare_Value{Value: value}}
}

// producerFrom takes the answers to get(p/<node>), get(epoch).
func producerFrom(r []*pb.ResponseOp) (s ProducerState, err error) {
	if kvs := r[0].GetResponseRange().Kvs; len(kvs) > 0 {
		s.Version = kvs[0].Version
		if s.Incarnation, err = parseIncarnation(kvs[0].Value); err != nil {
			return s, err
		}
	}
	s.Epoch, err = epochFrom(r[1])
	return s, err
}

func epochFrom(r *pb.ResponseOp) (uint32, error) {
	kvs := r.GetResponseRange().Kvs
	if len(kvs) == 0 {
		return 0, nil
	}
	return parseEpoch(kvs[0].Value)
}
