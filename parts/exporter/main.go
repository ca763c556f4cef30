// Exporter measures what has no ready metric in a castle: the members of etcd by name, which of them the castle does
// not know, Flux' conditions, and the sites as a visitor meets them. It holds no state: every scrape asks anew.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

var version = "dev"

// patience is what the sources have together, within Prometheus' own ten seconds.
const patience = 5 * time.Second

func main() {
	configFile := flag.String("config", "/etc/exporter/config.yaml", "configuration file")
	talosconfig := flag.String("talosconfig", "/var/run/secrets/talos.dev/config", "talosconfig with the role os:reader; read anew for every scrape")
	account := flag.String("service-account", "/var/run/secrets/kubernetes.io/serviceaccount", "folder with the token and the CA of the Kubernetes API")
	listen := flag.String("listen", ":8080", "address of /metrics and /healthz")
	showVersion := flag.Bool("version", false, "print the version and end")
	flag.Parse()
	if *showVersion {
		fmt.Println(version)
		return
	}
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	c, err := readConfig(*configFile)
	if err != nil {
		log.Error("the configuration is of no use", "error", err)
		os.Exit(2)
	}
	api := "https://" + os.Getenv("KUBERNETES_SERVICE_HOST") + ":" + os.Getenv("KUBERNETES_SERVICE_PORT")
	sources := []source{
		{"etcd", (&etcd{controlPlanes: c.ControlPlanes, talosconfig: *talosconfig, port: apidPort}).collect},
		{"flux", (&flux{api: api, account: *account}).collect},
		{"sites", (&sites{all: c.Sites}).collect},
	}
	server := &http.Server{Addr: *listen, Handler: handler(sources, log), ReadHeaderTimeout: 5 * time.Second}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	select {
	case <-ctx.Done():
	case err := <-failed:
		log.Error("cannot serve", "error", err)
		os.Exit(1)
	}
	grace, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if err := server.Shutdown(grace); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		log.Error("ended with", "error", err)
	}
}

// source is one thing that is asked at a scrape; what it measured before it failed is shown all the same.
type source struct {
	name    string
	collect func(context.Context) ([]sample, error)
}

func handler(sources []source, log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), patience)
		defer cancel()
		found := make([][]sample, len(sources))
		var all sync.WaitGroup
		for i, s := range sources {
			all.Go(func() {
				samples, err := s.collect(ctx)
				if err != nil {
					log.Warn("a source does not answer", "source", s.name, "error", err.Error())
				}
				found[i] = append(samples, sample{"castle_source_up", labels{"source": s.name}, number(err == nil)})
			})
		}
		all.Wait()
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		write(w, found)
	})
	return mux
}
