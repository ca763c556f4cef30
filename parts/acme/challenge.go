package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

const challengePath = "/.well-known/acme-challenge/"

// challenges answers for the tokens under way.
type challenges struct {
	mutex   sync.RWMutex
	answers map[string]string
	client  *http.Client
	port    int
}

func newChallenges(port int) *challenges {
	return &challenges{
		answers: map[string]string{},
		port:    port,
		client: &http.Client{
			Timeout: 3 * time.Second,
			Transport: &http.Transport{
				// A validator follows a redirect to HTTPS and accepts any certificate there; so does the probe.
				TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
				DisableKeepAlives: true,
			},
		},
	}
}

func (c *challenges) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mutex.RLock()
	answer, known := c.answers[strings.TrimPrefix(r.URL.Path, challengePath)]
	c.mutex.RUnlock()
	if !known {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	_, _ = io.WriteString(w, answer)
}

// answer serves the token until the returned function is called.
func (c *challenges) answer(token, answer string) (forget func()) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.answers[token] = answer
	return func() {
		c.mutex.Lock()
		defer c.mutex.Unlock()
		delete(c.answers, token)
	}
}

// reach asks the host for a probe of our own, the way the ACME server will ask for the challenge. An order
// whose challenge fails costs one of the few that a server allows in an hour; a probe costs nothing.
func (c *challenges) reach(ctx context.Context, host string) error {
	token, answer := "castle-"+rand.Text(), rand.Text()
	defer c.answer(token, answer)()
	url := fmt.Sprintf("http://%s%s%s", net.JoinHostPort(host, strconv.Itoa(c.port)), challengePath, token)
	if c.port == 80 {
		url = "http://" + host + challengePath + token
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := c.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1024))
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, response.Status)
	}
	if string(body) != answer {
		return errors.New(url + " is answered by somebody else")
	}
	return nil
}
