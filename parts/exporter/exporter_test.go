package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/siderolabs/talos/pkg/machinery/api/machine"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"
	"sigs.k8s.io/yaml"
)

// authority signs for servers and for the exporter, as a castle's Talos CA does.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "castle"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, _ := x509.ParseCertificate(der)
	return &authority{t, cert, key}
}

func (a *authority) pair(change func(*x509.Certificate)) (cert, key []byte) {
	private, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	change(template)
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, private.Public(), a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	text, _ := x509.MarshalPKCS8PrivateKey(private)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: text})
}

func (a *authority) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
}

func (a *authority) serving(change func(*x509.Certificate)) *tls.Config {
	cert, key := a.pair(change)
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		a.t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}}
}

// talosconfig writes one as Talos does into its Secret.
func (a *authority) talosconfig() string {
	cert, key := a.pair(func(*x509.Certificate) {})
	text, err := yaml.Marshal(map[string]any{
		"context":  "default",
		"contexts": map[string]any{"default": map[string]any{"ca": a.pem(), "crt": cert, "key": key}},
	})
	if err != nil {
		a.t.Fatal(err)
	}
	path := filepath.Join(a.t.TempDir(), "config")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		a.t.Fatal(err)
	}
	return path
}

type apid struct {
	machine.UnimplementedMachineServiceServer
	members []*machine.EtcdMember
}

func (a *apid) EtcdMemberList(context.Context, *machine.EtcdMemberListRequest) (*machine.EtcdMemberListResponse, error) {
	if a.members == nil {
		return nil, status.Error(codes.Unavailable, "etcd is not running")
	}
	return &machine.EtcdMemberListResponse{Messages: []*machine.EtcdMembers{{Members: a.members}}}, nil
}

// serve begins a Talos API that asks for a client certificate, and gives its port.
func (a *authority) serve(service *apid) string {
	config := a.serving(func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)} })
	config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
	config.ClientCAs.AddCert(a.cert)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		a.t.Fatal(err)
	}
	server := grpc.NewServer(grpc.Creds(credentials.NewTLS(config)))
	machine.RegisterMachineServiceServer(server, service)
	go func() { _ = server.Serve(listener) }()
	a.t.Cleanup(server.Stop)
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return port
}

func scrape(t *testing.T, sources ...source) string {
	t.Helper()
	recorder := httptest.NewRecorder()
	handler(sources, slog.New(slog.DiscardHandler)).ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return recorder.Body.String()
}

func expectLines(t *testing.T, text string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no line %s in\n%s", line, text)
		}
	}
}

func TestTellsGhostsFromControlPlanes(t *testing.T) {
	a := newAuthority(t)
	port := a.serve(&apid{members: []*machine.EtcdMember{
		{Id: 0xabc, Hostname: "cp-1", PeerUrls: []string{"https://127.0.0.1:2380"}},
		{Id: 0xdef, Hostname: "old-cp-2", PeerUrls: []string{"https://127.0.0.2:2380"}},
		{Id: 0x123, PeerUrls: []string{"https://127.0.0.3:2380"}, IsLearner: true},
	}})
	planes := []controlPlane{{"cp-1", "127.0.0.1"}, {"cp-2", "127.0.0.2"}, {"cp-3", "127.0.0.3"}}
	e := &etcd{controlPlanes: planes, talosconfig: a.talosconfig(), port: port}
	expectLines(t, scrape(t, source{"etcd", e.collect}),
		`castle_etcd_member{address="127.0.0.1",id="abc",known="true",learner="false",name="cp-1"} 1`,
		`castle_etcd_member{address="127.0.0.2",id="def",known="false",learner="false",name="old-cp-2"} 1`,
		`castle_etcd_member{address="127.0.0.3",id="123",known="true",learner="true",name=""} 1`,
		`castle_control_plane_member{address="127.0.0.1",name="cp-1"} 1`,
		`castle_control_plane_member{address="127.0.0.2",name="cp-2"} 0`,
		`castle_source_up{source="etcd"} 1`)
}

func TestOneFaultDoesNotHideTheRest(t *testing.T) {
	a := newAuthority(t)
	e := &etcd{controlPlanes: []controlPlane{{"cp-1", "127.0.0.1"}}, talosconfig: a.talosconfig(), port: a.serve(&apid{})}
	partly := func(context.Context) ([]sample, error) {
		return []sample{{"castle_flux_ready", labels{"name": "a\"b"}, 1}}, errors.New("the second list was refused")
	}
	text := scrape(t, source{"etcd", e.collect}, source{"flux", partly})
	expectLines(t, text,
		`castle_source_up{source="etcd"} 0`, `castle_source_up{source="flux"} 0`, `castle_flux_ready{name="a\"b"} 1`)
	if strings.Contains(text, "castle_etcd_member") {
		t.Errorf("members of an etcd that did not answer:\n%s", text)
	}
}

func TestFluxIsReadyOnlyInItsNewestGeneration(t *testing.T) {
	lists := map[string]string{
		fluxKinds[0].path: `{"items":[{"metadata":{"namespace":"flux-system","name":"source","generation":1},"spec":{},"status":{"observedGeneration":1,"conditions":[{"type":"Ready","status":"True"}]}}]}`,
		fluxKinds[1].path: `{"items":[
			{"metadata":{"namespace":"flux-system","name":"old","generation":2},"spec":{"suspend":true},"status":{"observedGeneration":1,"conditions":[{"type":"Ready","status":"True"}]}},
			{"metadata":{"namespace":"flux-system","name":"broken","generation":1},"status":{"observedGeneration":1,"conditions":[{"type":"Ready","status":"False"}]}}]}`,
	}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer token of the pod" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = w.Write([]byte(lists[r.URL.Path]))
	}))
	defer server.Close()
	account := t.TempDir()
	for name, text := range map[string][]byte{
		"token":  []byte("token of the pod\n"),
		"ca.crt": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}),
	} {
		if err := os.WriteFile(filepath.Join(account, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	of := func(kind, name string) string {
		return `{kind="` + kind + `",name="` + name + `",namespace="flux-system"} `
	}
	expectLines(t, scrape(t, source{"flux", (&flux{api: server.URL, account: account}).collect}),
		"castle_flux_ready"+of("GitRepository", "source")+"1",
		"castle_flux_ready"+of("Kustomization", "old")+"0",
		"castle_flux_suspended"+of("Kustomization", "old")+"1",
		"castle_flux_ready"+of("Kustomization", "broken")+"0",
		`castle_source_up{source="flux"} 1`)
}

func TestASiteIsUpWithItsOwnCertificateOnly(t *testing.T) {
	a := newAuthority(t)
	answer := http.StatusOK
	begin := func(change func(*x509.Certificate)) string {
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Host != "blog.example.org" {
				t.Errorf("asked for %s", r.Host)
			}
			w.WriteHeader(answer)
		}))
		server.TLS = a.serving(change)
		server.StartTLS()
		t.Cleanup(server.Close)
		return server.Listener.Addr().String()
	}
	up := func(address string) string {
		return scrape(t, source{"sites", (&sites{all: []site{{"blog", "blog.example.org", address, true}}}).collect})
	}
	const of = `{host="blog.example.org",site="blog"} `
	good := begin(func(c *x509.Certificate) {
		c.DNSNames, c.NotAfter = []string{"blog.example.org"}, time.Unix(4_000_000_000, 0)
	})
	expectLines(t, up(good), "castle_site_up"+of+"1", "castle_site_status"+of+"200", "castle_site_certificate_not_after_seconds"+of+"4e+09")
	answer = http.StatusServiceUnavailable
	expectLines(t, up(good), "castle_site_up"+of+"0", "castle_site_status"+of+"503")
	answer = http.StatusOK
	expectLines(t, up(begin(func(c *x509.Certificate) { c.DNSNames = []string{"TRAEFIK DEFAULT CERT"} })), "castle_site_up"+of+"0")
	expired := func(c *x509.Certificate) {
		c.DNSNames, c.NotAfter = []string{"blog.example.org"}, time.Now().Add(-time.Minute)
	}
	expectLines(t, up(begin(expired)), "castle_site_up"+of+"0")
	expectLines(t, up("127.0.0.1:1"), "castle_site_up"+of+"0")
}

func TestConfigurationNamesEveryFault(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	write := func(text string) error {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := readConfig(path)
		return err
	}
	if err := write("controlPlanes: [{name: cp-1, address: 10.0.0.1}]\nsites: []\n"); err != nil {
		t.Error(err)
	}
	err := write("controlPlanes: [{name: cp-1}]\nsites: [{host: a.b}]\n")
	if err == nil || !strings.Contains(err.Error(), "controlPlanes[0]") || !strings.Contains(err.Error(), "sites[0]") {
		t.Errorf("it says %v", err)
	}
	if err := write("controlPlane: []\n"); err == nil {
		t.Error("an unknown key was taken")
	}
}
