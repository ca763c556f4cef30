// The CNI plugin of type "flannel": it turns the subnet that flanneld was given
// (/run/flannel/subnet.env) into a configuration for the bridge and host-local plugins and hands the
// call on to bridge. The configuration of an ADD is kept until its DEL, because by then the node may
// have another subnet.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

const (
	defaultSubnetFile = "/run/flannel/subnet.env"
	defaultDataDir    = "/var/lib/cni/flannel"
)

// Codes of the CNI specification: below 100 they are its own, from 100 on the plugin's.
const (
	codeInvalidEnvironment = 4
	codeDecode             = 6
	codeTryAgain           = 11
	codeFailed             = 100
)

type fault struct {
	code int
	err  error
}

func (f fault) Error() string { return f.err.Error() }

type object = map[string]any

type config struct {
	CNIVersion    string          `json:"cniVersion"`
	Name          string          `json:"name"`
	SubnetFile    string          `json:"subnetFile"`
	DataDir       string          `json:"dataDir"`
	Delegate      object          `json:"delegate"`
	RuntimeConfig object          `json:"runtimeConfig"`
	PrevResult    json.RawMessage `json:"prevResult"`
}

// subnet is what flanneld wrote: the pods' network as a whole, this node's share of it, the MTU.
type subnet struct {
	network, share netip.Prefix
	mtu            int
	masquerade     bool
}

func main() {
	input, err := io.ReadAll(os.Stdin)
	if err == nil {
		err = run(os.Getenv("CNI_COMMAND"), input)
	}
	if err == nil {
		return
	}
	var known fault
	if !errors.As(err, &known) {
		known = fault{codeFailed, err}
	}
	_ = json.NewEncoder(os.Stdout).Encode(object{
		"cniVersion": version(input), "code": known.code, "msg": "flannel: " + known.err.Error(),
	})
	os.Exit(1)
}

func run(command string, input []byte) error {
	if command == "VERSION" {
		return json.NewEncoder(os.Stdout).Encode(object{
			"cniVersion":        "1.0.0",
			"supportedVersions": []string{"0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"},
		})
	}
	var conf config
	if err := json.Unmarshal(input, &conf); err != nil {
		return fault{codeDecode, fmt.Errorf("configuration on standard input: %w", err)}
	}
	if conf.SubnetFile == "" {
		conf.SubnetFile = defaultSubnetFile
	}
	if conf.DataDir == "" {
		conf.DataDir = defaultDataDir
	}
	container := os.Getenv("CNI_CONTAINERID")
	if command != "STATUS" && command != "GC" && (container == "" || container != filepath.Base(container)) {
		return fault{codeInvalidEnvironment, errors.New("CNI_CONTAINERID is missing or not a name")}
	}
	kept := filepath.Join(conf.DataDir, container+"-"+filepath.Base(os.Getenv("CNI_IFNAME")))
	switch command {
	case "ADD":
		return add(conf, kept)
	case "CHECK":
		return forward(conf, kept)
	case "DEL":
		if err := forward(conf, kept); err != nil {
			return err
		}
		if err := os.Remove(kept); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		return nil
	case "STATUS":
		_, err := readSubnet(conf.SubnetFile)
		return err
	case "GC":
		return nil
	default:
		return fault{codeInvalidEnvironment, fmt.Errorf("CNI_COMMAND %q is not known", command)}
	}
}

func add(conf config, kept string) error {
	lan, err := readSubnet(conf.SubnetFile)
	if err != nil {
		return err
	}
	delegate, err := json.Marshal(delegation(conf, lan))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(conf.DataDir, 0o700); err != nil {
		return err
	}
	// Kept before the call: a DEL has to undo a failed ADD as well.
	if err := os.WriteFile(kept+".new", delegate, 0o600); err != nil {
		return err
	}
	if err := os.Rename(kept+".new", kept); err != nil {
		return err
	}
	return call(delegate)
}

// forward repeats a call with the configuration of the ADD. Without one there is nothing to undo.
func forward(conf config, kept string) error {
	delegate, err := os.ReadFile(kept)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if len(conf.PrevResult) > 0 {
		var merged object
		if err := json.Unmarshal(delegate, &merged); err != nil {
			return fault{codeDecode, fmt.Errorf("%s: %w", kept, err)}
		}
		merged["prevResult"] = conf.PrevResult
		if delegate, err = json.Marshal(merged); err != nil {
			return err
		}
	}
	return call(delegate)
}

// delegation is the configuration for the bridge plugin; what the user wrote under "delegate" wins.
func delegation(conf config, lan subnet) object {
	delegate := object{
		"type":      "bridge",
		"bridge":    "cni0",
		"mtu":       lan.mtu,
		"isGateway": true,
		"ipMasq":    lan.masquerade,
		"ipam": object{
			"type":   "host-local",
			"ranges": [][]object{{{"subnet": lan.share.String()}}},
			"routes": []object{{"dst": lan.network.String()}},
		},
	}
	for key, value := range conf.Delegate {
		delegate[key] = value
	}
	delegate["name"] = conf.Name
	delegate["cniVersion"] = conf.CNIVersion
	if conf.RuntimeConfig != nil {
		delegate["runtimeConfig"] = conf.RuntimeConfig
	}
	return delegate
}

func readSubnet(file string) (subnet, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return subnet{}, fault{codeTryAgain, fmt.Errorf("flanneld has not been given a subnet yet: %w", err)}
	}
	values := map[string]string{}
	for line := range strings.Lines(string(content)) {
		if key, value, found := strings.Cut(strings.TrimSpace(line), "="); found {
			values[key] = value
		}
	}
	network, err := netip.ParsePrefix(values["FLANNEL_NETWORK"])
	if err != nil {
		return subnet{}, fmt.Errorf("%s: FLANNEL_NETWORK: %w", file, err)
	}
	share, err := netip.ParsePrefix(values["FLANNEL_SUBNET"])
	if err != nil {
		return subnet{}, fmt.Errorf("%s: FLANNEL_SUBNET: %w", file, err)
	}
	mtu, err := strconv.Atoi(values["FLANNEL_MTU"])
	if err != nil {
		return subnet{}, fmt.Errorf("%s: FLANNEL_MTU: %w", file, err)
	}
	// flanneld masquerades itself when told to (FLANNEL_IPMASQ=true); then the bridge must not.
	masquerade := values["FLANNEL_IPMASQ"] == "false"
	// The file gives the gateway's address in the subnet; host-local wants the subnet.
	return subnet{network.Masked(), share.Masked(), mtu, masquerade}, nil
}

// call runs the plugin that the configuration names, with our own environment, and passes its answer on.
func call(delegate []byte) error {
	var head struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(delegate, &head); err != nil {
		return fault{codeDecode, err}
	}
	plugin, err := find(head.Type)
	if err != nil {
		return err
	}
	command := exec.Command(plugin)
	command.Stdin = bytes.NewReader(delegate)
	command.Stderr = os.Stderr
	answer, err := command.Output()
	if err != nil {
		var refused struct {
			Code int    `json:"code"`
			Msg  string `json:"msg"`
		}
		if json.Unmarshal(answer, &refused) == nil && refused.Msg != "" {
			return fault{refused.Code, errors.New(refused.Msg)}
		}
		return fmt.Errorf("%s: %w", plugin, err)
	}
	_, err = os.Stdout.Write(answer)
	return err
}

func find(plugin string) (string, error) {
	if plugin == "" || plugin != filepath.Base(plugin) {
		return "", fault{codeDecode, fmt.Errorf("delegate type %q is not the name of a plugin", plugin)}
	}
	for _, folder := range filepath.SplitList(os.Getenv("CNI_PATH")) {
		candidate := filepath.Join(folder, plugin)
		if info, err := os.Stat(candidate); err == nil && info.Mode().IsRegular() {
			return candidate, nil
		}
	}
	return "", fault{codeInvalidEnvironment, fmt.Errorf("plugin %q is not in CNI_PATH", plugin)}
}

func version(input []byte) string {
	var conf config
	if json.Unmarshal(input, &conf) == nil && conf.CNIVersion != "" {
		return conf.CNIVersion
	}
	return "1.0.0"
}
