package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"sigs.k8s.io/yaml"
)

// config is the mounted file.
type config struct {
	// Directory is the ACME server's directory URL.
	Directory string `json:"directory"`
	Email     string `json:"email,omitempty"`
	// CABundle holds PEM certificates that the ACME server is trusted by, besides the system's.
	CABundle string     `json:"caBundle,omitempty"`
	Hosts    []hostSpec `json:"hosts"`
}

type hostSpec struct {
	Host string `json:"host"`
	// Secret is the name of the TLS Secret.
	Secret string `json:"secret"`
	// Namespace of the Secret; this program's own unless told.
	Namespace string `json:"namespace,omitempty"`
}

func parseConfig(text []byte, namespace string) (*config, error) {
	var c config
	if err := yaml.UnmarshalStrict(text, &c); err != nil {
		return nil, err
	}
	var faults []error
	if u, err := url.Parse(c.Directory); err != nil || u.Scheme != "https" || u.Host == "" {
		faults = append(faults, fmt.Errorf("directory %q is not an https address", c.Directory))
	}
	if _, err := trust(c.CABundle); err != nil {
		faults = append(faults, err)
	}
	seen := map[string]bool{}
	for i := range c.Hosts {
		h := &c.Hosts[i]
		if h.Host = strings.ToLower(h.Host); seen[h.Host] {
			faults = append(faults, fmt.Errorf("host %s is there twice", h.Host))
		}
		seen[h.Host] = true
		if strings.ContainsAny(h.Host, "*/: ") || !strings.Contains(h.Host, ".") || net.ParseIP(h.Host) != nil {
			faults = append(faults, fmt.Errorf("host %q cannot be had by HTTP-01: a full DNS name is expected", h.Host))
		}
		if h.Secret == "" {
			faults = append(faults, fmt.Errorf("host %s names no secret", h.Host))
		}
		if h.Namespace == "" {
			h.Namespace = namespace
		}
	}
	return &c, errors.Join(faults...)
}

// trust gives the roots for the ACME server: the system's, and the bundle's on top.
func trust(bundle string) (*x509.CertPool, error) {
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if bundle != "" && !roots.AppendCertsFromPEM([]byte(bundle)) {
		return nil, errors.New("caBundle holds no PEM certificate")
	}
	return roots, nil
}

// watchConfig hands out every new content of the file, the first at once, until the context ends. Kubernetes
// swaps a mounted file by a link, so it is looked at, not listened to.
func watchConfig(ctx context.Context, file string, every time.Duration) <-chan []byte {
	contents := make(chan []byte)
	go func() {
		defer close(contents)
		var last []byte
		for {
			text, err := os.ReadFile(file)
			if err == nil && (last == nil || !bytes.Equal(text, last)) {
				last = text
				select {
				case contents <- text:
				case <-ctx.Done():
					return
				}
			}
			if !sleep(ctx, every) {
				return
			}
		}
	}()
	return contents
}

// sleep says false if the context ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
