package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1 "k8s.io/client-go/kubernetes/typed/core/v1"
)

// cluster is what the program reads and writes in Kubernetes.
type cluster struct {
	kube      corev1.CoreV1Interface
	namespace string
	account   string
	state     string
}

func labels(component string) map[string]string {
	return map[string]string{"app.kubernetes.io/managed-by": "castle", "app.kubernetes.io/component": component}
}

// accountKey gives the account's key, and makes it the first time.
func (c *cluster) accountKey(ctx context.Context) (*ecdsa.PrivateKey, error) {
	secrets := c.kube.Secrets(c.namespace)
	secret, err := secrets.Get(ctx, c.account, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		var text []byte
		if _, text, err = newKey(); err != nil {
			return nil, err
		}
		secret, err = secrets.Create(ctx, &v1.Secret{
			ObjectMeta: metav1.ObjectMeta{Name: c.account, Labels: labels("acme-account")},
			Data:       map[string][]byte{"key.pem": text},
		}, metav1.CreateOptions{})
	}
	if err != nil {
		return nil, fmt.Errorf("account's key: %w", err)
	}
	key, err := parseKey(secret.Data["key.pem"])
	if err != nil {
		return nil, fmt.Errorf("key.pem of the Secret %s/%s: %w", c.namespace, c.account, err)
	}
	return key, nil
}

// secret gives the host's Secret, or nil.
func (c *cluster) secret(ctx context.Context, host hostSpec) (*v1.Secret, error) {
	secret, err := c.kube.Secrets(host.Namespace).Get(ctx, host.Secret, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return secret, err
}

// keep writes a new certificate; what others put on the Secret stays.
func (c *cluster) keep(ctx context.Context, host hostSpec, directory string, chain, key []byte) error {
	secrets := c.kube.Secrets(host.Namespace)
	old, err := c.secret(ctx, host)
	if err != nil {
		return err
	}
	secret := &v1.Secret{ObjectMeta: metav1.ObjectMeta{Name: host.Secret}, Type: v1.SecretTypeTLS}
	if old != nil {
		secret = old.DeepCopy()
	}
	if secret.Labels == nil {
		secret.Labels = map[string]string{}
	}
	for name, value := range labels("certificate") {
		secret.Labels[name] = value
	}
	if secret.Annotations == nil {
		secret.Annotations = map[string]string{}
	}
	secret.Annotations[directoryNote] = directory
	secret.Annotations["castle.dev/host"] = host.Host
	secret.Data = map[string][]byte{v1.TLSCertKey: chain, v1.TLSPrivateKeyKey: key}
	if old == nil {
		_, err = secrets.Create(ctx, secret, metav1.CreateOptions{})
	} else {
		_, err = secrets.Update(ctx, secret, metav1.UpdateOptions{})
	}
	return err
}

// tell writes the state of all hosts.
func (c *cluster) tell(ctx context.Context, states map[string]string) error {
	maps := c.kube.ConfigMaps(c.namespace)
	old, err := maps.Get(ctx, c.state, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		_, err = maps.Create(ctx, &v1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Name: c.state, Labels: labels("acme-state")},
			Data:       states,
		}, metav1.CreateOptions{})
		return err
	}
	if err != nil {
		return err
	}
	changed := old.DeepCopy()
	changed.Data = states
	_, err = maps.Update(ctx, changed, metav1.UpdateOptions{})
	return err
}

func newKey() (*ecdsa.PrivateKey, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	return key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), err
}

func parseKey(text []byte) (*ecdsa.PrivateKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("no PEM block")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	if key, ok := key.(*ecdsa.PrivateKey); ok {
		return key, nil
	}
	return nil, errors.New("not an ECDSA key")
}
