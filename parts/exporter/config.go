package main

import (
	"errors"
	"fmt"
	"os"

	"sigs.k8s.io/yaml"
)

// config is what the castle's spec says.
type config struct {
	ControlPlanes []controlPlane `json:"controlPlanes"`
	Sites         []site         `json:"sites"`
}

// controlPlane is a node that may be a member of etcd.
type controlPlane struct {
	Name    string `json:"name"`
	Address string `json:"address"`
}

// site is asked at the ingress' own address: what DNS says about it is another question.
type site struct {
	Name string `json:"name"`
	Host string `json:"host"`
	// Address is host and port of the ingress.
	Address string `json:"address"`
	TLS     bool   `json:"tls"`
}

func readConfig(path string) (*config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	c := &config{}
	if err := yaml.UnmarshalStrict(text, c); err != nil {
		return nil, err
	}
	var faults []error
	if len(c.ControlPlanes) == 0 {
		faults = append(faults, errors.New("controlPlanes names nobody"))
	}
	for i, p := range c.ControlPlanes {
		if p.Name == "" || p.Address == "" {
			faults = append(faults, fmt.Errorf("controlPlanes[%d] has no name or no address", i))
		}
	}
	for i, s := range c.Sites {
		if s.Name == "" || s.Host == "" || s.Address == "" {
			faults = append(faults, fmt.Errorf("sites[%d] has no name, host or address", i))
		}
	}
	return c, errors.Join(faults...)
}
