package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/crypto/acme"
)

// order gets a certificate for the host: its chain and key as PEM. The client is new each time, so that an
// ACME server that forgot the account, or another one, is met by registering again.
func order(ctx context.Context, c *config, host string, account *ecdsa.PrivateKey, challenges *challenges) (chain, key []byte, err error) {
	client, err := acmeClient(c, account)
	if err != nil {
		return nil, nil, err
	}
	contact := &acme.Account{}
	if c.Email != "" {
		contact.Contact = []string{"mailto:" + c.Email}
	}
	if _, err := client.Register(ctx, contact, acme.AcceptTOS); err != nil && !errors.Is(err, acme.ErrAccountAlreadyExists) {
		return nil, nil, err
	}
	made, err := client.AuthorizeOrder(ctx, acme.DomainIDs(host))
	if err != nil {
		return nil, nil, err
	}
	client.HTTPClient.Transport = located{client.HTTPClient.Transport, made.FinalizeURL, made.URI}
	for _, url := range made.AuthzURLs {
		if err := authorize(ctx, client, url, challenges); err != nil {
			return nil, nil, err
		}
	}
	if made, err = client.WaitOrder(ctx, made.URI); err != nil {
		return nil, nil, err
	}
	private, key, err := newKey()
	if err != nil {
		return nil, nil, err
	}
	request, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{DNSNames: []string{host}}, private)
	if err != nil {
		return nil, nil, err
	}
	ders, _, err := client.CreateOrderCert(ctx, made.FinalizeURL, request, true)
	if err != nil {
		return nil, nil, err
	}
	var text bytes.Buffer
	for _, der := range ders {
		if err := pem.Encode(&text, &pem.Block{Type: "CERTIFICATE", Bytes: der}); err != nil {
			return nil, nil, err
		}
	}
	return text.Bytes(), key, nil
}

// located adds the order's address to the answer of its finalization, where the client looks for it. RFC 8555
// does not ask servers to send it there, and pebble does not.
type located struct {
	http.RoundTripper
	finalize, order string
}

func (l located) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := l.RoundTripper.RoundTrip(request)
	if err == nil && request.URL.String() == l.finalize && response.Header.Get("Location") == "" {
		response.Header.Set("Location", l.order)
	}
	return response, err
}

func acmeClient(c *config, account *ecdsa.PrivateKey) (*acme.Client, error) {
	roots, err := trust(c.CABundle)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{
		Proxy:             http.ProxyFromEnvironment,
		ForceAttemptHTTP2: true,
		TLSClientConfig:   &tls.Config{RootCAs: roots},
		IdleConnTimeout:   30 * time.Second,
	}
	return &acme.Client{
		DirectoryURL: c.Directory,
		Key:          account,
		HTTPClient:   &http.Client{Transport: transport, Timeout: 30 * time.Second},
		UserAgent:    "castle-acme/" + version,
		// Used-up nonces and hiccups are tried again here; a rate limit and an outage are told first.
		RetryBackoff: func(n int, _ *http.Request, response *http.Response) time.Duration {
			if n > 4 || response.StatusCode == http.StatusTooManyRequests {
				return 0
			}
			return time.Duration(n) * 250 * time.Millisecond
		},
	}, nil
}

func authorize(ctx context.Context, client *acme.Client, url string, challenges *challenges) error {
	authorization, err := client.GetAuthorization(ctx, url)
	if err != nil || authorization.Status == acme.StatusValid {
		return err
	}
	for _, challenge := range authorization.Challenges {
		if challenge.Type != "http-01" {
			continue
		}
		answer, err := client.HTTP01ChallengeResponse(challenge.Token)
		if err != nil {
			return err
		}
		defer challenges.answer(challenge.Token, answer)()
		if _, err := client.Accept(ctx, challenge); err != nil {
			return err
		}
		_, err = client.WaitAuthorization(ctx, url)
		return err
	}
	return fmt.Errorf("the ACME server offers no HTTP-01 challenge for %s", authorization.Identifier.Value)
}
