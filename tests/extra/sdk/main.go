// Reads dashboards by the types of Grafana's SDK, and prints what does not fit, a line each: in panels, their
// options, queries and transformations, and in variables. What is missing is not told: Grafana fills it in.
package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

func lines(err error) []string {
	var all cog.BuildErrors
	if err == nil {
		return nil
	}
	if !errors.As(err, &all) {
		return []string{err.Error()}
	}
	found := []string{}
	for _, one := range all {
		if !strings.HasSuffix(one.Error(), "required field is missing from input") {
			found = append(found, one.Error())
		}
	}
	return found
}

func faults(text []byte) []string {
	var read dashboard.Dashboard
	found := lines(read.UnmarshalJSONStrict(text))
	return append(found, lines(read.Validate())...)
}

func main() {
	plugins.RegisterDefaultPlugins()
	for _, path := range os.Args[1:] {
		text, err := os.ReadFile(path)
		if err != nil {
			panic(err)
		}
		for _, fault := range faults(text) {
			fmt.Printf("%s: %s\n", path, fault)
		}
	}
}
