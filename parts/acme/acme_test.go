package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"github.com/miekg/dns"
	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
	"sigs.k8s.io/yaml"
)

const (
	own  = "castle-system"
	host = "blog.fortress.example"
)

// world is a real ACME server, a DNS that leads every host to this machine, and an API server's stand-in.
type world struct {
	t         *testing.T
	directory string
	bundle    string
	orders    *atomic.Int32
	// limited makes the ACME server refuse new orders.
	limited *atomic.Bool
	// astray sends what asks for challenges elsewhere, as an ingress without a route does.
	astray  *atomic.Bool
	cluster *cluster
	board   *board
	file    string
	port    int
}

func newWorld(t *testing.T, objects ...*v1.Secret) *world {
	t.Helper()
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	w := &world{t: t, orders: &atomic.Int32{}, limited: &atomic.Bool{}, astray: &atomic.Bool{}}
	kube := fake.NewClientset()
	for _, object := range objects {
		if _, err := kube.CoreV1().Secrets(object.Namespace).Create(t.Context(), object, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	w.cluster = &cluster{kube: kube.CoreV1(), namespace: own, account: "acme-account", state: "acme-state"}
	w.file = filepath.Join(t.TempDir(), "config.yaml")

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.port = listener.Addr().(*net.TCPAddr).Port
	w.startPebble()

	discard := slog.New(slog.DiscardHandler)
	w.board = newBoard(w.cluster, discard)
	challenges := newChallenges(w.port)
	challenges.client.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, listener.Addr().String())
	}
	inner := handler(challenges, w.board)
	server := &http.Server{Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if w.astray.Load() && strings.HasPrefix(r.URL.Path, challengePath) {
			http.NotFound(rw, r)
			return
		}
		inner.ServeHTTP(rw, r)
	})}
	go func() { _ = server.Serve(listener) }()

	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{}, 2)
	go func() { w.board.publish(ctx); done <- struct{}{} }()
	quick := pace{
		config: 10 * time.Millisecond, probe: 10 * time.Millisecond, recheck: 20 * time.Millisecond,
		first: 20 * time.Millisecond, last: time.Second, order: 20 * time.Second,
	}
	k := &keeper{cluster: w.cluster, challenges: challenges, board: w.board, log: discard, patience: 100 * time.Millisecond, pace: quick}
	go func() { k.run(ctx, w.file); done <- struct{}{} }()
	t.Cleanup(func() {
		cancel()
		<-done
		<-done
		_ = server.Close()
	})
	return w
}

func (w *world) startPebble() {
	quiet := log.New(io.Discard, "", 0)
	store := db.NewMemoryStore()
	profiles := map[string]ca.Profile{"default": {Description: "default"}}
	issuer := ca.New(quiet, store, "", "ecdsa", 0, 1, profiles)
	validator := va.New(quiet, w.port, 1, false, w.startDNS(), store)
	front := wfe.New(quiet, store, validator, issuer, nil, false, false, 1, 1)
	inner := front.Handler()
	server := httptest.NewTLSServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/order-plz" {
			w.orders.Add(1)
			if w.limited.Load() {
				rw.Header().Set("Content-Type", "application/problem+json")
				rw.Header().Set("Retry-After", "3600")
				rw.WriteHeader(http.StatusTooManyRequests)
				_, _ = io.WriteString(rw, `{"type":"urn:ietf:params:acme:error:rateLimited","detail":"too many orders"}`)
				return
			}
		}
		inner.ServeHTTP(rw, r)
	}))
	w.t.Cleanup(server.Close)
	w.directory = server.URL + wfe.DirectoryPath
	w.bundle = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
}

func (w *world) startDNS() string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	answer := func(rw dns.ResponseWriter, question *dns.Msg) {
		reply := new(dns.Msg).SetReply(question)
		if q := question.Question[0]; q.Qtype == dns.TypeA {
			header := dns.RR_Header{Name: q.Name, Rrtype: dns.TypeA, Class: dns.ClassINET}
			reply.Answer = append(reply.Answer, &dns.A{Hdr: header, A: net.IPv4(127, 0, 0, 1)})
		}
		_ = rw.WriteMsg(reply)
	}
	server := &dns.Server{Listener: listener, Handler: dns.HandlerFunc(answer)}
	go func() { _ = server.ActivateAndServe() }()
	w.t.Cleanup(func() { _ = server.Shutdown() })
	return listener.Addr().String()
}

func (w *world) configure(hosts ...string) {
	w.t.Helper()
	c := config{Directory: w.directory, CABundle: w.bundle, Email: "keeper@fortress.example"}
	for _, h := range hosts {
		c.Hosts = append(c.Hosts, hostSpec{Host: h, Secret: strings.Split(h, ".")[0] + "-tls", Namespace: "sites"})
	}
	text, err := yaml.Marshal(c)
	if err != nil {
		w.t.Fatal(err)
	}
	w.write(text)
}

func (w *world) write(text []byte) {
	w.t.Helper()
	if err := os.WriteFile(w.file, text, 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// until waits for the state that the ConfigMap tells.
func (w *world) until(host string, is func(hostState) bool) hostState {
	w.t.Helper()
	var state hostState
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		told, err := w.cluster.kube.ConfigMaps(own).Get(w.t.Context(), "acme-state", metav1.GetOptions{})
		if err != nil {
			continue
		}
		state = hostState{}
		if json.Unmarshal([]byte(told.Data[host]), &state) == nil && is(state) {
			return state
		}
	}
	w.t.Fatalf("%s stays %+v", host, state)
	return state
}

func (w *world) secret(name string) *v1.Secret {
	w.t.Helper()
	secret, err := w.cluster.kube.Secrets("sites").Get(w.t.Context(), name, metav1.GetOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	return secret
}

func (w *world) metrics() string {
	recorder := httptest.NewRecorder()
	w.board.serveMetrics(recorder, nil)
	return recorder.Body.String()
}

func isValid(s hostState) bool { return s.State == "valid" }

// restored is a Secret as an earlier life of the castle left it.
func restored(t *testing.T, born, ends time.Time) *v1.Secret {
	t.Helper()
	key, text, err := newKey()
	if err != nil {
		t.Fatal(err)
	}
	return &v1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "blog-tls", Namespace: "sites", Labels: map[string]string{"mine": "stays"}},
		Type:       v1.SecretTypeTLS,
		Data:       map[string][]byte{v1.TLSCertKey: selfSigned(t, key, born, ends), v1.TLSPrivateKeyKey: text},
	}
}

func selfSigned(t *testing.T, key *ecdsa.PrivateKey, born, ends time.Time) []byte {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "earlier life"},
		DNSNames: []string{host}, NotBefore: born, NotAfter: ends,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func TestOrdersOverARealChallenge(t *testing.T) {
	w := newWorld(t)
	w.configure(host, "docs.fortress.example")
	state := w.until(host, isValid)
	w.until("docs.fortress.example", isValid)

	secret := w.secret("blog-tls")
	leaf, err := certificate(secret, host, w.directory, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if leaf.Issuer.CommonName != state.Issuer || !strings.HasPrefix(state.Issuer, "Pebble") {
		t.Errorf("issuer is %q, told as %q", leaf.Issuer.CommonName, state.Issuer)
	}
	if secret.Type != v1.SecretTypeTLS || secret.Labels["app.kubernetes.io/managed-by"] != "castle" {
		t.Errorf("secret is %s with %v", secret.Type, secret.Labels)
	}
	for _, line := range []string{
		`castle_acme_certificate_state{host="blog.fortress.example",state="valid"} 1`,
		`castle_acme_orders_total{host="blog.fortress.example",result="issued"} 1`,
		`castle_acme_config_valid 1`,
	} {
		if !strings.Contains(w.metrics(), line) {
			t.Errorf("no %s in\n%s", line, w.metrics())
		}
	}
}

func TestRestoredCertificateIsTaken(t *testing.T) {
	now := time.Now()
	old := restored(t, now.Add(-30*24*time.Hour), now.Add(60*24*time.Hour))
	w := newWorld(t, old)
	w.configure(host)
	if state := w.until(host, isValid); state.Issuer != "earlier life" {
		t.Errorf("issuer is %q", state.Issuer)
	}
	if w.orders.Load() != 0 {
		t.Errorf("%d orders", w.orders.Load())
	}
	if _, err := w.cluster.kube.Secrets(own).Get(t.Context(), "acme-account", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("an account was made: %v", err)
	}
}

func TestRenewsWithAThirdOfLifeLeft(t *testing.T) {
	now := time.Now()
	w := newWorld(t, restored(t, now.Add(-61*24*time.Hour), now.Add(29*24*time.Hour)))
	w.configure(host)
	w.until(host, func(s hostState) bool { return strings.HasPrefix(s.Issuer, "Pebble") })
	if secret := w.secret("blog-tls"); secret.Labels["mine"] != "stays" {
		t.Errorf("labels are %v", secret.Labels)
	}
}

func TestCertificateOfAnotherDirectoryIsReplaced(t *testing.T) {
	now := time.Now()
	staging := restored(t, now, now.Add(90*24*time.Hour))
	staging.Annotations = map[string]string{directoryNote: "https://staging.example/dir"}
	w := newWorld(t, staging)
	w.configure(host)
	w.until(host, func(s hostState) bool { return strings.HasPrefix(s.Issuer, "Pebble") })
}

func TestFailedChallengeIsToldAndTriedAgain(t *testing.T) {
	w := newWorld(t)
	w.astray.Store(true)
	w.configure(host)
	state := w.until(host, func(s hostState) bool { return s.State == "failed" && s.Error != "" })
	if !strings.Contains(state.Error, "404") || state.NextTry == nil {
		t.Errorf("state is %+v", state)
	}
	w.astray.Store(false)
	if state := w.until(host, isValid); state.Error != "" || state.NextTry != nil {
		t.Errorf("state keeps its error: %+v", state)
	}
	first := w.secret("blog-tls").Data[v1.TLSCertKey]
	if err := w.cluster.kube.Secrets("sites").Delete(t.Context(), "blog-tls", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	w.until(host, func(s hostState) bool { return s.State == "pending" })
	w.until(host, isValid)
	if string(w.secret("blog-tls").Data[v1.TLSCertKey]) == string(first) {
		t.Error("a deleted Secret came back with the same certificate")
	}
}

func TestWaitsForTheHostBeforeItOrders(t *testing.T) {
	w := newWorld(t)
	w.astray.Store(true)
	w.configure(host)
	state := w.until(host, func(s hostState) bool { return strings.Contains(s.Message, "lead here") })
	if state.State != "pending" || w.orders.Load() != 0 {
		t.Errorf("%+v after %d orders", state, w.orders.Load())
	}
	w.astray.Store(false)
	w.until(host, isValid)
	if w.orders.Load() != 1 {
		t.Errorf("%d orders", w.orders.Load())
	}
}

func TestRateLimitIsObeyedAndAValidCertificateStaysValid(t *testing.T) {
	now := time.Now()
	w := newWorld(t, restored(t, now.Add(-89*24*time.Hour), now.Add(24*time.Hour)))
	w.limited.Store(true)
	w.configure(host)
	state := w.until(host, func(s hostState) bool { return s.Error != "" })
	if state.State != "valid" || !strings.Contains(state.Error, "too many orders") {
		t.Errorf("state is %+v", state)
	}
	if state.NextTry.Before(time.Now().Add(50 * time.Minute)) {
		t.Errorf("next try at %s, the server said an hour", state.NextTry)
	}
	if w.orders.Load() != 1 {
		t.Errorf("%d orders", w.orders.Load())
	}
}

func TestNewConfigurationIsTakenAndAWrongOneIsNot(t *testing.T) {
	w := newWorld(t)
	w.configure(host)
	w.until(host, isValid)
	w.write([]byte("directory: http://plain\nhosts: []\n"))
	for !strings.Contains(w.metrics(), "castle_acme_config_valid 0") {
		time.Sleep(5 * time.Millisecond)
	}
	if !strings.Contains(w.metrics(), host) {
		t.Error("the hosts of the configuration before are gone")
	}
	w.configure("docs.fortress.example")
	w.until("docs.fortress.example", isValid)
	if strings.Contains(w.metrics(), `state{host="`+host) {
		t.Error("a host that left the configuration is still told")
	}
}

func TestConfigurationNamesEveryFault(t *testing.T) {
	text := "directory: ftp://x\ncaBundle: nonsense\nhosts: [{host: '*.a.b', secret: s}, {host: 10.0.0.1, secret: s}, {host: a.b}, {host: A.b, secret: s}]"
	_, err := parseConfig([]byte(text), own)
	if err == nil {
		t.Fatal("taken")
	}
	for _, part := range []string{"ftp://x", "caBundle", `"*.a.b"`, `"10.0.0.1"`, "a.b names no secret", "a.b is there twice"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("no %s in %v", part, err)
		}
	}
	if _, err := parseConfig([]byte("directory: https://x/dir\nhost: typo\n"), own); err == nil {
		t.Error("an unknown field was taken")
	}
}

func TestWhatAnotherDirectorySaidIsForgotten(t *testing.T) {
	host := hostSpec{Host: "blog.castle.test", Secret: "web-tls", Namespace: "site-blog"}
	b := newBoard(nil, slog.New(slog.DiscardHandler))
	b.follow(&config{Directory: "https://limited.test/directory", Hosts: []hostSpec{host}})
	b.failed(host, errors.New("rateLimited"), time.Now().Add(time.Hour))
	b.follow(&config{Directory: "https://limited.test/directory", Hosts: []hostSpec{host}})
	if s := b.states[host.Host]; s.State != "failed" || s.Error == "" || s.Directory != "https://limited.test/directory" {
		t.Fatalf("the same directory's error is still true: %+v", s)
	}
	b.follow(&config{Directory: "https://other.test/directory", Hosts: []hostSpec{host}})
	if s := b.states[host.Host]; s.State != "pending" || s.Error != "" || s.NextTry != nil || s.Directory != "https://other.test/directory" {
		t.Fatalf("another directory has said nothing yet: %+v", s)
	}
}
