package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
)

// etcd is the JSON side of one member: two calls do not make it worth to carry the whole client.
type etcd struct {
	endpoint string
	client   *http.Client
}

func newEtcd(endpoint, folder string) (*etcd, error) {
	file := func(name string) string { return filepath.Join(folder, name) }
	authority, err := os.ReadFile(file("etcd-client-ca.crt"))
	if err != nil {
		return nil, err
	}
	trusted := x509.NewCertPool()
	if !trusted.AppendCertsFromPEM(authority) {
		return nil, fmt.Errorf("%s holds no certificate", file("etcd-client-ca.crt"))
	}
	// Read anew for every connection: Talos renews it.
	certificate := func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(file("etcd-client.crt"), file("etcd-client.key"))
		return &pair, err
	}
	if _, err := certificate(nil); err != nil {
		return nil, err
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted, GetClientCertificate: certificate}}
	return &etcd{endpoint: endpoint, client: &http.Client{Transport: transport}}, nil
}

// codeNotFound is gRPC's.
const codeNotFound = 5

// refusal is what etcd answers where it does not do what it was asked.
type refusal struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func (r *refusal) Error() string { return fmt.Sprintf("etcd refuses: %s (%d)", r.Message, r.Code) }

func (e *etcd) call(ctx context.Context, path string, question, answer any) error {
	body, err := json.Marshal(question)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.endpoint+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("content-type", "application/json")
	response, err := e.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		said := &refusal{}
		if json.Unmarshal(text, said) != nil || said.Code == 0 {
			return fmt.Errorf("etcd answers %s", response.Status)
		}
		return said
	}
	return json.Unmarshal(text, answer)
}
