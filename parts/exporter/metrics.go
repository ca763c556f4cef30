package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

type labels map[string]string

// sample is one measurement; every one of the exporter's is a gauge.
type sample struct {
	name   string
	labels labels
	value  float64
}

func number(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

var help = map[string]string{
	"castle_control_plane_member":               "Whether a control plane of the spec is a member of etcd, by name and address.",
	"castle_etcd_member":                        "A member of etcd; known says whether it is a control plane of the spec.",
	"castle_flux_ready":                         "Whether the newest generation of a Flux object is Ready.",
	"castle_flux_suspended":                     "Whether somebody told Flux to leave an object alone.",
	"castle_site_certificate_not_after_seconds": "When the certificate that a site shows ends, in seconds since 1970.",
	"castle_site_seconds":                       "How long a site took to answer.",
	"castle_site_status":                        "The HTTP status that a site answered with.",
	"castle_site_up":                            "Whether a site answers at the ingress' address, without an error of the server and with a certificate of its own.",
	"castle_source_up":                          "Whether what the exporter asks answered.",
}

func write(w io.Writer, groups [][]sample) {
	byName := map[string][]string{}
	for _, s := range slices.Concat(groups...) {
		byName[s.name] = append(byName[s.name], line(s))
	}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s gauge\n", name, help[name], name)
		for _, text := range slices.Sorted(slices.Values(byName[name])) {
			fmt.Fprintln(w, text)
		}
	}
}

var escape = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func line(s sample) string {
	pairs := make([]string, 0, len(s.labels))
	for _, name := range slices.Sorted(maps.Keys(s.labels)) {
		pairs = append(pairs, name+`="`+escape.Replace(s.labels[name])+`"`)
	}
	return s.name + "{" + strings.Join(pairs, ",") + "} " + strconv.FormatFloat(s.value, 'g', -1, 64)
}
