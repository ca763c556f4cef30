package main

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"
)

// hostState is what the ConfigMap says of a host, as JSON under the host's name.
type hostState struct {
	// State is pending, valid or failed.
	State     string `json:"state"`
	Secret    string `json:"secret"`
	Namespace string `json:"namespace"`
	// Directory is where the certificate is ordered, or was when the error came.
	Directory string     `json:"directory"`
	Issuer    string     `json:"issuer,omitempty"`
	NotAfter  *time.Time `json:"notAfter,omitempty"`
	// Message says what is waited for.
	Message string `json:"message,omitempty"`
	// Error is the last order's, with the challenge's; also of a renewal while the old certificate is valid.
	Error string `json:"error,omitempty"`
	// NextTry follows an error.
	NextTry *time.Time `json:"nextTry,omitempty"`
}

// board knows how every host stands, and tells it to Kubernetes and to Prometheus.
type board struct {
	mutex     sync.Mutex
	cluster   *cluster
	log       *slog.Logger
	directory string
	states    map[string]hostState
	orders    map[[2]string]int
	good      bool
	changed   chan struct{}
}

func newBoard(cluster *cluster, log *slog.Logger) *board {
	return &board{
		cluster: cluster, log: log,
		states: map[string]hostState{}, orders: map[[2]string]int{},
		changed: make(chan struct{}, 1),
	}
}

func (b *board) update(host hostSpec, change func(*hostState)) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	state := b.states[host.Host]
	state.Secret, state.Namespace, state.Directory = host.Secret, host.Namespace, b.directory
	change(&state)
	b.states[host.Host] = state
	b.wake()
}

func (b *board) wake() {
	select {
	case b.changed <- struct{}{}:
	default:
	}
}

// follow forgets the hosts that are not in the configuration any more, and what another directory said.
func (b *board) follow(c *config) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	maps.DeleteFunc(b.states, func(name string, _ hostState) bool {
		return !slices.ContainsFunc(c.Hosts, func(h hostSpec) bool { return h.Host == name })
	})
	if b.directory != c.Directory {
		b.directory = c.Directory
		for name, state := range b.states {
			if state.State == "failed" {
				state.State = "pending"
			}
			state.Directory, state.Error, state.NextTry = c.Directory, "", nil
			b.states[name] = state
		}
	}
	b.wake()
}

func (b *board) configured(good bool) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.good = good
}

func (b *board) ordered(host hostSpec, ok bool) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	result := map[bool]string{true: "issued", false: "failed"}[ok]
	b.orders[[2]string{host.Host, result}]++
}

// waiting tells what an order waits for; a certificate that is to be renewed stays valid meanwhile.
func (b *board) waiting(host hostSpec, message string) {
	b.update(host, func(s *hostState) { s.Message = message })
}

// without says that there is no certificate of use. A host whose order failed stays failed until one succeeds.
func (b *board) without(host hostSpec, message string) {
	b.update(host, func(s *hostState) {
		if s.State != "failed" {
			s.State = "pending"
		}
		s.Message, s.Issuer, s.NotAfter = message, "", nil
	})
}

func (b *board) valid(host hostSpec, leaf *x509.Certificate) {
	b.update(host, func(s *hostState) {
		until := leaf.NotAfter.UTC()
		s.State, s.Issuer, s.NotAfter, s.Message = "valid", leaf.Issuer.CommonName, &until, ""
		if time.Now().Before(renewal(leaf)) {
			s.Error, s.NextTry = "", nil
		}
	})
}

func (b *board) failed(host hostSpec, err error, next time.Time) {
	b.update(host, func(s *hostState) {
		if s.State != "valid" {
			s.State = "failed"
		}
		next = next.UTC().Truncate(time.Second)
		s.Error, s.NextTry, s.Message = err.Error(), &next, ""
	})
}

// publish writes changed states to the ConfigMap until the context ends; what cannot be written is tried again.
func (b *board) publish(ctx context.Context) {
	var told map[string]string
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.changed:
		}
		states := b.rendered()
		if told != nil && maps.Equal(states, told) {
			continue
		}
		if err := b.cluster.tell(ctx, states); err != nil {
			b.log.Error("cannot write the state", "error", err.Error())
			if !sleep(ctx, time.Second) {
				return
			}
			b.wake()
			continue
		}
		told = states
	}
}

func (b *board) rendered() map[string]string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	states := map[string]string{}
	for host, state := range b.states {
		text, err := json.Marshal(state)
		if err == nil {
			states[host] = string(text)
		}
	}
	return states
}

func (b *board) serveMetrics(w http.ResponseWriter, _ *http.Request) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	metric := func(name, kind, help string) { fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind) }
	hosts := slices.Sorted(maps.Keys(b.states))

	metric("castle_acme_config_valid", "gauge", "Whether the mounted configuration is in force.")
	fmt.Fprintf(w, "castle_acme_config_valid %d\n", number(b.good))
	metric("castle_acme_certificate_state", "gauge", "1 for the state that a host's certificate is in.")
	for _, host := range hosts {
		for _, state := range []string{"pending", "valid", "failed"} {
			fmt.Fprintf(w, "castle_acme_certificate_state{host=%q,state=%q} %d\n", host, state, number(b.states[host].State == state))
		}
	}
	metric("castle_acme_certificate_not_after_seconds", "gauge", "Unix time at which a host's certificate ends.")
	for _, host := range hosts {
		if until := b.states[host].NotAfter; until != nil {
			fmt.Fprintf(w, "castle_acme_certificate_not_after_seconds{host=%q} %d\n", host, until.Unix())
		}
	}
	metric("castle_acme_orders_total", "counter", "Orders at the ACME server by their result.")
	for _, key := range slices.SortedFunc(maps.Keys(b.orders), func(x, y [2]string) int { return slices.Compare(x[:], y[:]) }) {
		fmt.Fprintf(w, "castle_acme_orders_total{host=%q,result=%q} %d\n", key[0], key[1], b.orders[key])
	}
}

func number(is bool) int {
	if is {
		return 1
	}
	return 0
}
