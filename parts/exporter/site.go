package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// sites asks every site as a visitor does, through the ingress' address. Who signed a certificate is not judged: a
// lab's authority is trusted by nobody; that it is the site's own and in its time is.
type sites struct{ all []site }

func (s *sites) collect(ctx context.Context) ([]sample, error) {
	found := make([][]sample, len(s.all))
	var all sync.WaitGroup
	for i, one := range s.all {
		all.Go(func() { found[i] = visit(ctx, one) })
	}
	all.Wait()
	var samples []sample
	for _, f := range found {
		samples = append(samples, f...)
	}
	return samples, nil
}

func visit(ctx context.Context, s site) []sample {
	of := labels{"site": s.Name, "host": s.Host}
	begun := time.Now()
	response, err := request(ctx, s)
	if err != nil {
		return []sample{{"castle_site_up", of, 0}}
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, io.LimitReader(response.Body, 1<<20))
	samples := []sample{
		{"castle_site_up", of, number(err == nil && response.StatusCode < 400)},
		{"castle_site_status", of, float64(response.StatusCode)},
		{"castle_site_seconds", of, time.Since(begun).Seconds()},
	}
	if response.TLS != nil {
		end := response.TLS.PeerCertificates[0].NotAfter
		samples = append(samples, sample{"castle_site_certificate_not_after_seconds", of, float64(end.Unix())})
	}
	return samples
}

func request(ctx context.Context, s site) (*http.Response, error) {
	scheme := "http"
	if s.TLS {
		scheme = "https"
	}
	visit, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+s.Host+"/", nil)
	if err != nil {
		return nil, err
	}
	visit.Header.Set("User-Agent", "castle-exporter/"+version)
	dialer := &net.Dialer{Timeout: 2 * time.Second}
	transport := &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, s.Address)
		},
		TLSClientConfig: &tls.Config{
			ServerName:         s.Host,
			MinVersion:         tls.VersionTLS12,
			InsecureSkipVerify: true,
			VerifyConnection:   ownAndInTime(s.Host),
		},
	}
	return transport.RoundTrip(visit)
}

func ownAndInTime(host string) func(tls.ConnectionState) error {
	return func(state tls.ConnectionState) error {
		leaf := state.PeerCertificates[0]
		if err := leaf.VerifyHostname(host); err != nil {
			return err
		}
		if now := time.Now(); now.Before(leaf.NotBefore) || now.After(leaf.NotAfter) {
			return fmt.Errorf("the certificate is good from %s to %s", leaf.NotBefore, leaf.NotAfter)
		}
		return nil
	}
}
