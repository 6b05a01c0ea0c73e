// Reads PromQL, one JSON string a line, and prints of each the selectors in it, as Prometheus' own
// parser has them: [["name", "label", ...], ...].
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"sort"

	"github.com/prometheus/prometheus/promql/parser"
)

func words(selector *parser.VectorSelector) []string {
	name, labels := selector.Name, []string{}
	for _, matcher := range selector.LabelMatchers {
		if matcher.Name != "__name__" {
			labels = append(labels, matcher.Name)
		} else if name == "" {
			name = matcher.Value
		}
	}
	sort.Strings(labels)
	return append([]string{name}, labels...)
}

func selectors(query string) ([][]string, error) {
	found := [][]string{}
	expression, err := parser.NewParser(parser.Options{}).ParseExpr(query)
	if err != nil {
		return nil, err
	}
	parser.Inspect(expression, func(node parser.Node, _ []parser.Node) error {
		if selector, ok := node.(*parser.VectorSelector); ok {
			found = append(found, words(selector))
		}
		return nil
	})
	return found, nil
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var query string
		if err := json.Unmarshal(lines.Bytes(), &query); err != nil {
			panic(err)
		}
		found, err := selectors(query)
		if err != nil {
			panic(fmt.Errorf("%s: %w", query, err))
		}
		text, _ := json.Marshal(found)
		fmt.Println(string(text))
	}
}
