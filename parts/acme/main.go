// Acme keeps the TLS certificates of a castle's sites: it orders them by HTTP-01, renews them when a third of
// their life is left, and writes each into a Secret of type kubernetes.io/tls that all replicas of the ingress
// read. It runs as one replica (strategy Recreate): the one that orders is the one that answers challenges.
//
// It asks the API server for single objects only: get, create and update of the Secrets that its configuration
// names, of its account's Secret and of the ConfigMap with the state.
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
	"syscall"
	"time"

	corev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

var version = "dev"

func main() {
	configFile := flag.String("config", "/etc/acme/config.yaml", "configuration file; read again when it changes")
	namespace := flag.String("namespace", os.Getenv("POD_NAMESPACE"), "namespace of the account's Secret and of the state (default $POD_NAMESPACE)")
	account := flag.String("account-secret", "acme-account", "Secret with the account's key; made if absent")
	state := flag.String("state-configmap", "acme-state", "ConfigMap that says how each host's certificate stands")
	listen := flag.String("listen", ":8080", "address of challenges, /metrics and /healthz")
	checkPort := flag.Int("check-port", 80, "port at which hosts are asked for a probe before an order")
	patience := flag.Duration("check-patience", 2*time.Minute, "time to wait for that probe; then the order is tried anyway")
	kubeconfig := flag.String("kubeconfig", "", "kubeconfig file (default: the pod's service account)")
	showVersion := flag.Bool("version", false, "print the version and end")
	flag.Parse()
	if *showVersion {
		fmt.Println(version)
		return
	}
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	if *namespace == "" {
		log.Error("no namespace: set -namespace or POD_NAMESPACE")
		os.Exit(2)
	}
	kube, err := kubeClient(*kubeconfig)
	if err != nil {
		log.Error("no API server", "error", err)
		os.Exit(1)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()

	cluster := &cluster{kube: kube, namespace: *namespace, account: *account, state: *state}
	challenges := newChallenges(*checkPort)
	board := newBoard(cluster, log)
	server := &http.Server{Addr: *listen, Handler: handler(challenges, board), ReadHeaderTimeout: 5 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	go board.publish(ctx)

	keeper := &keeper{cluster: cluster, challenges: challenges, board: board, log: log, patience: *patience, pace: defaultPace}
	done := make(chan struct{})
	go func() {
		keeper.run(ctx, *configFile)
		close(done)
	}()
	select {
	case <-done:
	case err := <-failed:
		log.Error("cannot serve", "error", err)
		os.Exit(1)
	}
	grace, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := server.Shutdown(grace); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		log.Error("ended with", "error", err)
	}
}

func handler(challenges *challenges, board *board) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET "+challengePath, challenges)
	mux.HandleFunc("GET /metrics", board.serveMetrics)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	return mux
}

func kubeClient(kubeconfig string) (corev1.CoreV1Interface, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	config.UserAgent = "castle-acme/" + version
	config.Timeout = 15 * time.Second
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, err
	}
	return corev1.NewForConfigAndClient(config, client)
}
