// Vip-warden lets the VIP of a castle leave a control plane that has died, within about two seconds.
//
// Talos gives the VIP to the winner of an election in etcd, and keeps it with the winner until its lease of 60 s has run
// out. Nothing about that can be set. But the lease can be revoked: then the next candidate wins at once, takes the
// address and tells the network, all by Talos' own doing. So this program owns no address and sends no packet of its own
// but the probes. One runs on every control plane, as a static pod.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"
)

var version = "dev"

func main() {
	vip := flag.String("vip", "", "the VIP's API, host:port")
	local := flag.String("local", "127.0.0.1:6443", "this node's own API server, host:port")
	endpoint := flag.String("etcd", "https://127.0.0.1:2379", "this node's own member of etcd")
	certificates := flag.String("certificates", "", "folder with etcd-client-ca.crt, etcd-client.crt and etcd-client.key")
	patience := flag.Duration("patience", 800*time.Millisecond, "how long the VIP may refuse or be silent before its holder counts as dead")
	showVersion := flag.Bool("version", false, "print the version and end")
	flag.Parse()
	if *showVersion {
		fmt.Println(version)
		return
	}
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	address, _, err := net.SplitHostPort(*vip)
	if err != nil {
		log.Error("--vip is not host:port", "error", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	etcd, err := waitForEtcd(ctx, *endpoint, *certificates, log)
	if err != nil {
		return
	}
	log.Info("watching", "vip", *vip, "patience", patience.String(), "version", version)
	warden := &warden{
		pace:     defaultPace(*patience),
		answers:  func(ctx context.Context) error { return accepts(ctx, *vip) },
		ownAPI:   func(ctx context.Context) error { return accepts(ctx, *local) },
		election: &election{etcd: etcd, prefix: "talos:v1:vip:election:" + address + "/"},
		log:      log,
	}
	warden.run(ctx)
}

// waitForEtcd waits for the credentials: on a new node this program is there before Talos has written them.
func waitForEtcd(ctx context.Context, endpoint, certificates string, log *slog.Logger) (*etcd, error) {
	for told := false; ; told = true {
		etcd, err := newEtcd(endpoint, certificates)
		if err == nil {
			return etcd, nil
		}
		if !told {
			log.Info("waiting for the credentials for etcd", "error", err.Error())
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// accepts is nil if somebody accepts a connection there before the context ends. The kernel accepts, however busy the
// machine is, so that a slow API server is not taken for a dead one.
func accepts(ctx context.Context, address string) error {
	connection, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	return connection.Close()
}
