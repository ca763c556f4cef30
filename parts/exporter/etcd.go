package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"

	"github.com/siderolabs/talos/pkg/machinery/api/machine"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"sigs.k8s.io/yaml"
)

// apidPort is where every node's Talos API listens.
const apidPort = "50000"

// etcd asks Talos on the control planes, not etcd itself: a client of etcd may do everything in it, and Talos gives
// the list to a reader.
type etcd struct {
	controlPlanes []controlPlane
	// talosconfig is a file that Talos renews every few hours.
	talosconfig string
	port        string
}

func (e *etcd) collect(ctx context.Context) ([]sample, error) {
	trust, err := readTalosconfig(e.talosconfig)
	if err != nil {
		return nil, err
	}
	members, err := e.members(ctx, trust)
	if err != nil {
		return nil, err
	}
	var samples []sample
	for _, m := range members {
		addresses := hosts(m.GetPeerUrls())
		known := slices.ContainsFunc(e.controlPlanes, func(p controlPlane) bool { return is(p, m) })
		address := ""
		if len(addresses) > 0 {
			address = addresses[0]
		}
		samples = append(samples, sample{"castle_etcd_member", labels{
			"id": strconv.FormatUint(m.GetId(), 16), "name": m.GetHostname(), "address": address,
			"learner": strconv.FormatBool(m.GetIsLearner()), "known": strconv.FormatBool(known),
		}, 1})
	}
	for _, p := range e.controlPlanes {
		member := slices.ContainsFunc(members, func(m *machine.EtcdMember) bool { return is(p, m) })
		samples = append(samples, sample{"castle_control_plane_member", labels{"name": p.Name, "address": p.Address}, number(member)})
	}
	return samples, nil
}

// is tells whether the member is this control plane. The name alone would not do: a machine that took over the address
// of a lost one, or a lost one's name, is the very ghost that is looked for. A member that was added and has not begun
// yet has no name: its address tells who it will be.
func is(p controlPlane, m *machine.EtcdMember) bool {
	return slices.Contains(hosts(m.GetPeerUrls()), p.Address) && (m.GetHostname() == p.Name || m.GetHostname() == "")
}

// members is the answer of the first control plane that has one; they are all asked, because one may be dead.
func (e *etcd) members(ctx context.Context, trust credentials.TransportCredentials) ([]*machine.EtcdMember, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type answer struct {
		members []*machine.EtcdMember
		err     error
	}
	answers := make(chan answer, len(e.controlPlanes))
	for _, p := range e.controlPlanes {
		go func() {
			members, err := ask(ctx, net.JoinHostPort(p.Address, e.port), trust)
			if err != nil {
				err = fmt.Errorf("%s: %w", p.Name, err)
			}
			answers <- answer{members, err}
		}()
	}
	var faults []error
	for range e.controlPlanes {
		a := <-answers
		if a.err == nil {
			return a.members, nil
		}
		faults = append(faults, a.err)
	}
	return nil, errors.Join(faults...)
}

func ask(ctx context.Context, address string, trust credentials.TransportCredentials) ([]*machine.EtcdMember, error) {
	connection, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(trust))
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	list, err := machine.NewMachineServiceClient(connection).EtcdMemberList(ctx, &machine.EtcdMemberListRequest{})
	if err != nil {
		return nil, err
	}
	for _, message := range list.GetMessages() {
		return message.GetMembers(), nil
	}
	return nil, errors.New("Talos answered without a list")
}

func hosts(peerURLs []string) []string {
	var found []string
	for _, text := range peerURLs {
		if u, err := url.Parse(text); err == nil && u.Hostname() != "" {
			found = append(found, u.Hostname())
		}
	}
	return found
}

func readTalosconfig(path string) (credentials.TransportCredentials, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var file struct {
		Context  string `json:"context"`
		Contexts map[string]struct {
			CA  []byte `json:"ca"`
			Crt []byte `json:"crt"`
			Key []byte `json:"key"`
		} `json:"contexts"`
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		return nil, fmt.Errorf("the talosconfig is no YAML: %w", err)
	}
	chosen, ok := file.Contexts[file.Context]
	if !ok {
		return nil, fmt.Errorf("the talosconfig has no context %q", file.Context)
	}
	own, err := tls.X509KeyPair(chosen.Crt, chosen.Key)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(chosen.CA) {
		return nil, errors.New("the talosconfig's CA is no certificate")
	}
	return credentials.NewTLS(&tls.Config{RootCAs: roots, Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS13}), nil
}
