package main

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
)

// pace is how often things are looked at and tried again.
type pace struct {
	config, probe, recheck time.Duration
	// After a failed order: from first, doubled each time, to last.
	first, last time.Duration
	order       time.Duration
}

var defaultPace = pace{
	config: time.Second, probe: time.Second, recheck: 30 * time.Second,
	first: 3 * time.Second, last: 10 * time.Minute,
	order: 2 * time.Minute,
}

// keeper sees to it that every host of the configuration has a certificate.
type keeper struct {
	cluster    *cluster
	challenges *challenges
	board      *board
	log        *slog.Logger
	patience   time.Duration
	pace       pace
}

// run works until the context ends. A new configuration starts every host afresh, without its backoff: the
// change may be the cure.
func (k *keeper) run(ctx context.Context, file string) {
	contents := watchConfig(ctx, file, k.pace.config)
	stop := func() {}
	for text := range contents {
		c, err := parseConfig(text, k.cluster.namespace)
		k.board.configured(err == nil)
		if err != nil {
			k.log.Error("configuration refused; the one before stays", "file", file, "error", err.Error())
			continue
		}
		stop()
		k.log.Info("configuration", "directory", c.Directory, "hosts", len(c.Hosts))
		stop = k.start(ctx, c)
	}
	stop()
}

func (k *keeper) start(ctx context.Context, c *config) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	k.board.follow(c)
	var hosts sync.WaitGroup
	for _, host := range c.Hosts {
		hosts.Go(func() { k.keepHost(ctx, c, host) })
	}
	return func() {
		cancel()
		hosts.Wait()
	}
}

func (k *keeper) keepHost(ctx context.Context, c *config, host hostSpec) {
	failures := 0
	for {
		wait := k.pace.recheck
		if due, err := k.look(ctx, c, host); err != nil {
			k.log.Error("cannot read the Secret", "host", host.Host, "error", err.Error())
			wait = k.pace.first
		} else if due {
			if err := k.renew(ctx, c, host); ctx.Err() != nil {
				return
			} else if err != nil {
				failures++
				wait = k.backoff(failures, err)
				k.board.failed(host, err, time.Now().Add(wait))
				k.log.Error("no certificate", "host", host.Host, "error", err.Error(), "next", wait.String())
			} else {
				failures = 0
				continue
			}
		}
		if !sleep(ctx, wait) {
			return
		}
	}
}

// look tells the board what the Secret holds, and whether an order is due.
func (k *keeper) look(ctx context.Context, c *config, host hostSpec) (due bool, err error) {
	secret, err := k.cluster.secret(ctx, host)
	if err != nil {
		return false, err
	}
	if secret == nil {
		k.board.without(host, "there is no Secret yet")
		return true, nil
	}
	now := time.Now()
	leaf, why := certificate(secret, host.Host, c.Directory, now)
	if why != nil {
		k.board.without(host, "the Secret's certificate is of no use: "+why.Error())
		return true, nil
	}
	k.board.valid(host, leaf)
	return !now.Before(renewal(leaf)), nil
}

func (k *keeper) renew(ctx context.Context, c *config, host hostSpec) error {
	k.awaitReach(ctx, host)
	ctx, cancel := context.WithTimeout(ctx, k.pace.order)
	defer cancel()
	account, err := k.cluster.accountKey(ctx)
	if err != nil {
		return err
	}
	begun := time.Now()
	chain, key, err := order(ctx, c, host.Host, account, k.challenges)
	k.board.ordered(host, err == nil)
	if err != nil {
		return err
	}
	if err := k.cluster.keep(ctx, host, c.Directory, chain, key); err != nil {
		return fmt.Errorf("the certificate cannot be written to the Secret %s/%s: %w", host.Namespace, host.Secret, err)
	}
	k.log.Info("certificate issued", "host", host.Host, "milliseconds", time.Since(begun).Milliseconds())
	return nil
}

// awaitReach waits until the host leads to this program, for a while: behind a router that does not lead its
// own network back in, the ACME server may see what we cannot.
func (k *keeper) awaitReach(ctx context.Context, host hostSpec) {
	deadline := time.Now().Add(k.patience)
	for {
		err := k.challenges.reach(ctx, host.Host)
		if err == nil {
			return
		}
		k.board.waiting(host, "waiting for the host to lead here: "+err.Error())
		if time.Now().After(deadline) {
			k.log.Warn("ordering although the host does not lead here", "host", host.Host, "error", err.Error())
			return
		}
		if !sleep(ctx, k.pace.probe) {
			return
		}
	}
}

// backoff is the time to the next order: an ACME server's own word where it gave one.
func (k *keeper) backoff(failures int, err error) time.Duration {
	wait := min(k.pace.first<<min(failures-1, 20), k.pace.last)
	wait += time.Duration(rand.Int64N(int64(wait)/5 + 1))
	if told, limited := acme.RateLimit(err); limited {
		wait = max(wait, told, k.pace.last/10)
	}
	return wait
}
