package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"time"

	v1 "k8s.io/api/core/v1"
)

// directoryNote is the annotation that tells where a certificate was ordered: after a change from staging to
// production the old ones have to go, however long they live.
const directoryNote = "castle.dev/acme-directory"

// certificate reads the leaf of a TLS Secret. An error says why it is of no use for the host.
func certificate(secret *v1.Secret, host, directory string, now time.Time) (*x509.Certificate, error) {
	pair, err := tls.X509KeyPair(secret.Data[v1.TLSCertKey], secret.Data[v1.TLSPrivateKeyKey])
	if err != nil {
		return nil, err
	}
	leaf := pair.Leaf
	if err := leaf.VerifyHostname(host); err != nil {
		return nil, err
	}
	if !now.Before(leaf.NotAfter) {
		return nil, fmt.Errorf("expired at %s", leaf.NotAfter.UTC().Format(time.RFC3339))
	}
	if from := secret.Annotations[directoryNote]; from != "" && from != directory {
		return nil, fmt.Errorf("ordered at %s", from)
	}
	return leaf, nil
}

// renewal is when a third of the life is left.
func renewal(leaf *x509.Certificate) time.Time {
	return leaf.NotAfter.Add(-leaf.NotAfter.Sub(leaf.NotBefore) / 3)
}
