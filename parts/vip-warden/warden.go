package main

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// pace is how often and how long the warden looks.
type pace struct {
	every    time.Duration // between two probes of the VIP
	within   time.Duration // that one probe may take
	patience time.Duration // of failing probes, until the holder counts as dead
	misses   int           // failing probes that it takes at least
	calm     time.Duration // after a move, until the next
	etcd     time.Duration // that etcd has to do one thing; what it was asked without a leader is lost, and asked again
}

func defaultPace(patience time.Duration) pace {
	return pace{
		every:    200 * time.Millisecond,
		within:   300 * time.Millisecond,
		patience: patience,
		misses:   3,
		calm:     5 * time.Second,
		etcd:     500 * time.Millisecond,
	}
}

// holder is who has won the election: its lease is its own and no later winner's.
type holder struct {
	name  string
	lease string
}

var errNoHolder = errors.New("nobody holds the VIP")

// ballot is the election for the VIP.
type ballot interface {
	// holder as this node's member of etcd knows it, with or without quorum.
	holder(ctx context.Context) (holder, error)
	// dismiss ends the holder's lease, and with it its candidacy. A lease that has ended already is no error.
	dismiss(ctx context.Context, holder holder) error
}

type warden struct {
	pace
	answers  func(ctx context.Context) error
	ownAPI   func(ctx context.Context) error
	election ballot
	log      *slog.Logger
}

// silence is a row of failing probes.
type silence struct {
	since  time.Time
	misses int
	// Who held the VIP when it began. Only that lease is revoked: if the VIP has moved since, it is nobody's.
	holder holder
	known  bool
}

func (w *warden) run(ctx context.Context) {
	tick := time.NewTicker(w.every)
	defer tick.Stop()
	var row silence
	var calmUntil time.Time
	for {
		row = w.look(ctx, row)
		now := time.Now()
		if now.After(calmUntil) && row.misses >= w.misses && now.Sub(row.since) >= w.patience && w.move(ctx, row) {
			row = silence{}
			calmUntil = time.Now().Add(w.calm)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (w *warden) look(ctx context.Context, row silence) silence {
	begin := time.Now()
	err := within(ctx, w.within, w.answers)
	if err == nil {
		return silence{}
	}
	// Whoever overslept has not looked: a node without a free core must not call others dead.
	if time.Since(begin) > 2*w.within {
		return row
	}
	if row.misses == 0 {
		row.since = begin
	}
	row.misses++
	if row.known {
		return row
	}
	err = within(ctx, w.within, func(ctx context.Context) (err error) {
		row.holder, err = w.election.holder(ctx)
		return err
	})
	row.known = err == nil
	return row
}

// move makes the VIP leave its holder, if this node could serve in its place.
func (w *warden) move(ctx context.Context, row silence) bool {
	if !row.known {
		return false
	}
	if within(ctx, w.within, w.ownAPI) != nil {
		return false
	}
	begin := time.Now()
	err := within(ctx, w.etcd, func(ctx context.Context) error { return w.election.dismiss(ctx, row.holder) })
	log := w.log.With("holder", row.holder.name, "silent", begin.Sub(row.since).String(), "took", time.Since(begin).String())
	if err != nil {
		log.Warn("could not take the VIP from its holder yet", "error", err.Error())
		return false
	}
	log.Info("took the VIP from its holder")
	return true
}

func within(ctx context.Context, limit time.Duration, work func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return work(ctx)
}
