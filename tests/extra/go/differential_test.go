package extra

import (
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// Pieces of bodies; random ones in a row make lines, right and wrong.
var pieces = []string{
	"m", "n", "h", "s", "h_bucket", "h_sum", "h_count", "s_sum", "s_count", "_", ":x", "é", "9", "\"m\"",
	"{", "}", "{}", "(", "=", ",", "\"", "\\", "\\n", "\\\\", "\\\"", "\n", "\r", "\t", " ", "  ", "#",
	"a=\"b\"", "le=\"1\"", "le=\"+Inf\"", "le=\"1.0\"", "quantile=\"0.5\"", "quantile=\"x\"", "job=\"k\"", "\"a\"=\"b\"",
	"__name__=\"m\"", "__a=\"b\"", "instance=\"\"", "a=\"\\x\"", "a=\"\xff\"", "a='b'", "a =\"b\"", "a= \"b\"",
	" 1", " 2.5", " -1", " NaN", " +Inf", " nan", " inf", " 1e3", " 1e400", " 0x10", " 1_0", " .5", " 5.", " +1", " 1.2.3", " 18446744073709551616",
	" 1000", " 1 1000", " 1 1.5", " 1 x", "# TYPE m gauge", "# TYPE m counter", "# TYPE h histogram", "# TYPE s summary",
	"# TYPE h gaugehistogram", "# TYPE h gauge_histogram", "# TYPE m untyped", "# TYPE m info", "# TYPE m", "# TYPE", "# HELP m text", "# HELP m", "# HELP m \\x",
	"# HELP h a\\\\b\\nc", "#HELP m x", "# help m x", "# EOF", "# UNIT m s", "# a comment", "\x00", "\xef\xbb\xbf", "\xff",
}

var bodies = []string{
	"m 1\n", "m{a=\"b\"} 1\n", "# HELP m x\n# TYPE m gauge\nm{a=\"b\",c=\"d\",} 1\nm{a=\"c\"} 2\n",
	"# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n",
	"# TYPE h histogram\nh_bucket{a=\"b\",le=\"0.1\"} 1.5\nh_count{a=\"b\"} 2.5\nh_sum{a=\"b\"} 3\n",
	"# TYPE s summary\ns{quantile=\"0.5\"} 1\ns{quantile=\"1\"} 2\ns_sum 3\ns_count 4.7\n",
	"# TYPE c counter\nc 5\nc{x=\"\\\"\\\\\\n\"} 6\n# TYPE d untyped\nd NaN\n",
	"m 1\nn{a=\"b\"} 2\nm{a=\"b\"} 3\n",
}

func mutate(random *rand.Rand, text string) string {
	at := 0
	if len(text) > 0 {
		at = random.Intn(len(text))
	}
	end := min(len(text), at+1+random.Intn(8))
	piece := pieces[random.Intn(len(pieces))]
	switch random.Intn(7) {
	case 0:
		return text[:at] + piece + text[at:]
	case 1:
		return text[:at] + text[end:]
	case 2:
		return text[:at] + piece + text[end:]
	case 3:
		return text[:at] + string(rune(random.Intn(256))) + text[end:]
	case 4:
		lines := strings.SplitAfter(text, "\n")
		random.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
		return strings.Join(lines, "")
	case 5:
		return text + text[at:]
	default:
		return text + bodies[random.Intn(len(bodies))]
	}
}

func made(random *rand.Rand, seeds []string) string {
	var text strings.Builder
	if random.Intn(3) == 0 {
		for range 1 + random.Intn(12) {
			text.WriteString(pieces[random.Intn(len(pieces))])
			if random.Intn(3) == 0 {
				text.WriteString("\n")
			}
		}
		if random.Intn(5) > 0 {
			text.WriteString("\n")
		}
		return text.String()
	}
	body := seeds[random.Intn(len(seeds))]
	for range random.Intn(4) {
		body = mutate(random, body)
	}
	return body
}

// What expfmt makes of a body. Some it does not survive; those weir is to refuse.
func parsed(body string) (families []*dto.MetricFamily, err error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			err = fmt.Errorf("panic: %v", panicked)
		}
	}()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	found, err := parser.TextToMetricFamilies(strings.NewReader(body))
	for _, family := range found {
		if name := family.GetName(); name != "push_time_seconds" && name != "push_failure_time_seconds" {
			families = append(families, family)
		}
	}
	return families, err
}

// What expfmt takes by accident: a quote inside a name, as in a"m" 1, m{a"b"="c"} 1 and
// # HELP a"m" text, and a line without a name behind one that has it, as in {a="b"} 1.
func isAccident(body, answer string) bool {
	if strings.Contains(answer, "after label name, found '\"'") {
		return true
	}
	for _, line := range strings.Split(body, "\n") {
		name := strings.TrimLeft(line, " \t")
		if strings.HasPrefix(name, "#") && strings.Contains(name, "\"") && strings.Contains(answer, "in comment") {
			return true
		}
		if strings.HasPrefix(name, "{") {
			return true
		}
		if end := strings.IndexAny(name, "{ \t"); end >= 0 {
			name = name[:end]
		}
		if strings.Contains(name, "\"") {
			return true
		}
	}
	return false
}

// A summary's count that no uint64 can be: what Go makes of it depends on how it was built.
func settled(samples map[string]series) map[string]series {
	for name, one := range samples {
		if one.kind == dto.MetricType_SUMMARY && one.value >= 1<<63 && strings.Contains(name, "_count{") {
			samples[name] = series{1 << 63, one.kind}
		}
	}
	return samples
}

// A count that was given twice, once with a fraction: expfmt keeps both and shows that one, weir the
// last.
func hasTwoCounts(families []*dto.MetricFamily) bool {
	for _, family := range families {
		for _, metric := range family.Metric {
			histogram := metric.Histogram
			if histogram.GetSampleCount() > 0 && histogram.GetSampleCountFloat() > 0 {
				return true
			}
			for _, bucket := range histogram.GetBucket() {
				if bucket.GetCumulativeCount() > 0 && bucket.GetCumulativeCountFloat() > 0 {
					return true
				}
			}
		}
	}
	return false
}

const syntaxError = "text format parsing error in line "

func compare(t *testing.T, target, body string) bool {
	families, err := parsed(body)
	status, answer := send(t, "PUT", target, "", body)
	isSyntaxError := strings.HasPrefix(answer, syntaxError)
	switch {
	case status != 200 && status != 400:
		t.Errorf("%q: %d %s", body, status, answer)
	case err != nil && !isSyntaxError:
		t.Errorf("%q: expfmt says %v; weir %d %s", body, err, status, answer)
	case err == nil && isSyntaxError && !isAccident(body, answer):
		t.Errorf("%q: expfmt takes it; weir says %s", body, answer)
	case status == 200 && !hasTwoCounts(families):
		want := settled(samplesOf(families, map[string]string{"job": "j"}))
		if words := difference(settled(samplesOf(page(t, textPage), nil)), want, true); words != "" {
			t.Errorf("%q:\n%s", body, words)
		}
		return true
	}
	return false
}

// The same bodies taken and refused as expfmt does, and the same samples.
func TestTextParsersAgree(t *testing.T) {
	target := weir(t) + "/metrics/job/j"
	wipe(t)
	seeds := append([]string{}, bodies...)
	corpus, _ := filepath.Glob(filepath.Join("..", "..", "fuzz", "corpus", "text", "*"))
	for _, file := range corpus {
		if text, err := os.ReadFile(file); err == nil && len(text) < 10_000 {
			seeds = append(seeds, string(text))
		}
	}
	seed := time.Now().UnixNano()
	random := rand.New(rand.NewSource(seed))
	end := time.Now().Add(20 * time.Second)
	count, taken := 0, 0
	for _, body := range seeds {
		compare(t, target, body)
	}
	for time.Now().Before(end) && !t.Failed() {
		count++
		if compare(t, target, made(random, seeds)) {
			taken++
		}
	}
	t.Logf("seed %d: %d bodies, %d of them stored", seed, count, taken)
}
