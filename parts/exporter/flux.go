package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// flux reads the conditions that Flux' controllers write: they stopped to count them themselves.
type flux struct {
	api string
	// account is the folder of the pod's service account; its token changes every hour.
	account string
}

// list is as much of a list of Flux' objects as is looked at.
type list struct {
	Items []struct {
		Metadata struct {
			Namespace  string `json:"namespace"`
			Name       string `json:"name"`
			Generation int64  `json:"generation"`
		} `json:"metadata"`
		Spec struct {
			Suspend bool `json:"suspend"`
		} `json:"spec"`
		Status struct {
			ObservedGeneration int64 `json:"observedGeneration"`
			Conditions         []struct {
				Type   string `json:"type"`
				Status string `json:"status"`
			} `json:"conditions"`
		} `json:"status"`
	} `json:"items"`
}

var fluxKinds = []struct{ kind, path string }{
	{"GitRepository", "/apis/source.toolkit.fluxcd.io/v1/gitrepositories"},
	{"Kustomization", "/apis/kustomize.toolkit.fluxcd.io/v1/kustomizations"},
}

func (f *flux) collect(ctx context.Context) ([]sample, error) {
	client, token, err := f.client()
	if err != nil {
		return nil, err
	}
	defer client.CloseIdleConnections()
	var samples []sample
	for _, k := range fluxKinds {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, f.api+k.path, nil)
		if err != nil {
			return samples, err
		}
		request.Header.Set("Authorization", "Bearer "+token)
		found, err := get(client, request)
		if err != nil {
			return samples, err
		}
		for _, item := range found.Items {
			ready := false
			for _, c := range item.Status.Conditions {
				ready = ready || c.Type == "Ready" && c.Status == "True"
			}
			// An old generation's condition says nothing about what Git says now.
			ready = ready && item.Status.ObservedGeneration == item.Metadata.Generation
			of := labels{"kind": k.kind, "namespace": item.Metadata.Namespace, "name": item.Metadata.Name}
			samples = append(samples,
				sample{"castle_flux_ready", of, number(ready)},
				sample{"castle_flux_suspended", of, number(item.Spec.Suspend)})
		}
	}
	return samples, nil
}

func get(client *http.Client, request *http.Request) (*list, error) {
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", request.URL.Path, response.Status)
	}
	found := &list{}
	return found, json.NewDecoder(response.Body).Decode(found)
}

func (f *flux) client() (*http.Client, string, error) {
	token, err := os.ReadFile(filepath.Join(f.account, "token"))
	if err != nil {
		return nil, "", err
	}
	ca, err := os.ReadFile(filepath.Join(f.account, "ca.crt"))
	if err != nil {
		return nil, "", err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		return nil, "", errors.New("ca.crt is no certificate")
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	return &http.Client{Transport: transport}, strings.TrimSpace(string(token)), nil
}
