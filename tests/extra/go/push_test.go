// Tests of weir by the libraries that Go programs use, against the server at WEIR_URL.
package extra

import (
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"sort"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/push"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

func weir(t testing.TB) string {
	url := os.Getenv("WEIR_URL")
	if url == "" {
		t.Skip("WEIR_URL is not set")
	}
	return url
}

func send(t testing.TB, method, target, contentType, body string) (int, string) {
	request, err := http.NewRequest(method, target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatalf("%s %s %q: %v", method, target, body, err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

func wipe(t testing.TB) {
	if status, text := send(t, "PUT", weir(t)+"/api/v1/admin/wipe", "", ""); status != 202 {
		t.Fatalf("wipe: %d %s", status, text)
	}
}

// Every type that the library has, some with exemplars.
func registry(t testing.TB) *prometheus.Registry {
	all := prometheus.NewRegistry()
	counter := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "jobs_total", Help: "Jobs."}, []string{"kind"})
	counter.WithLabelValues(`a"b\c` + "\nd").Add(3)
	counter.WithLabelValues("ж").(prometheus.ExemplarAdder).AddWithExemplar(1, prometheus.Labels{"trace_id": "abc"})
	plain := prometheus.NewCounter(prometheus.CounterOpts{Name: "plain", Help: "Without _total."})
	gauge := prometheus.NewGauge(prometheus.GaugeOpts{Name: "last_success_timestamp_seconds"})
	gauge.Set(1.7e9)
	odd := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "odd"}, []string{"value"})
	for name, value := range map[string]float64{"inf": math.Inf(1), "nan": math.NaN(), "small": 5e-324} {
		odd.WithLabelValues(name).Set(value)
	}
	summary := prometheus.NewSummary(prometheus.SummaryOpts{
		Name: "size_bytes", Objectives: map[float64]float64{0.5: 0.05, 1: 0.001}})
	classic := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "took_seconds", Buckets: []float64{0.001, 0.5, 1, 10}})
	native := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "native_seconds", NativeHistogramBucketFactor: 1.1})
	for n := range 100 {
		summary.Observe(float64(n))
		classic.(prometheus.ExemplarObserver).ObserveWithExemplar(
			float64(n)/10, prometheus.Labels{"trace_id": fmt.Sprint(n)})
		native.Observe(float64(n-50) / 3)
	}
	all.MustRegister(counter, plain, gauge, odd, summary, classic, native)
	return all
}

type series struct {
	value float64
	kind  dto.MetricType
}

func key(name string, labels map[string]string) string {
	names := make([]string, 0, len(labels))
	for label, value := range labels {
		if value != "" {
			names = append(names, fmt.Sprintf("%s=%q", label, value))
		}
	}
	sort.Strings(names)
	return name + "{" + strings.Join(names, ",") + "}"
}

func bound(value float64) string {
	return fmt.Sprint(value)
}

// The samples of families as lines would show them, with some labels more.
func samplesOf(families []*dto.MetricFamily, further map[string]string) map[string]series {
	found := map[string]series{}
	for _, family := range families {
		kind := family.GetType()
		if kind == dto.MetricType_GAUGE_HISTOGRAM {
			kind = dto.MetricType_HISTOGRAM
		}
		for _, metric := range family.Metric {
			add := func(suffix, label, value string, number float64) {
				labels := map[string]string{}
				for _, pair := range metric.Label {
					labels[pair.GetName()] = pair.GetValue()
				}
				for name, value := range further {
					labels[name] = value
				}
				if label != "" {
					labels[label] = value
				}
				found[key(family.GetName()+suffix, labels)] = series{number, kind}
			}
			addSamples(metric, add)
		}
	}
	return found
}

func addSamples(metric *dto.Metric, add func(suffix, label, value string, number float64)) {
	switch {
	case metric.Counter != nil:
		add("", "", "", metric.Counter.GetValue())
	case metric.Gauge != nil:
		add("", "", "", metric.Gauge.GetValue())
	case metric.Untyped != nil:
		add("", "", "", metric.Untyped.GetValue())
	case metric.Summary != nil:
		for _, quantile := range metric.Summary.Quantile {
			add("", "quantile", bound(quantile.GetQuantile()), quantile.GetValue())
		}
		add("_sum", "", "", metric.Summary.GetSampleSum())
		add("_count", "", "", float64(metric.Summary.GetSampleCount()))
	case metric.Histogram != nil:
		histogram := metric.Histogram
		count := histogram.GetSampleCountFloat()
		if count <= 0 {
			count = float64(histogram.GetSampleCount())
		}
		add("_bucket", "le", bound(math.Inf(1)), count)
		for _, bucket := range histogram.Bucket {
			number := bucket.GetCumulativeCountFloat()
			if number <= 0 {
				number = float64(bucket.GetCumulativeCount())
			}
			add("_bucket", "le", bound(bucket.GetUpperBound()), number)
		}
		add("_sum", "", "", histogram.GetSampleSum())
		add("_count", "", "", count)
	}
}

func isPushed(name string) bool {
	for _, prefix := range []string{"weir_", "pushgateway_", "process_"} {
		if strings.HasPrefix(name, prefix) {
			return false
		}
	}
	return name != "push_time_seconds" && name != "push_failure_time_seconds"
}

// A page of weir, decoded by expfmt by its content type.
func page(t testing.TB, accept string) []*dto.MetricFamily {
	request, _ := http.NewRequest("GET", weir(t)+"/metrics", nil)
	request.Header.Set("Accept", accept)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != 200 {
		t.Fatalf("GET /metrics: %s", answer.Status)
	}
	format := expfmt.Format(answer.Header.Get("Content-Type")) // ResponseFormat() would drop the escaping
	if expfmt.ResponseFormat(answer.Header).FormatType() == expfmt.TypeUnknown {
		t.Fatalf("expfmt does not know %q", format)
	}
	decoder := expfmt.NewDecoder(answer.Body, format)
	var families []*dto.MetricFamily
	for {
		family := &dto.MetricFamily{}
		if err = decoder.Decode(family); err == io.EOF {
			return families
		} else if err != nil {
			t.Fatalf("%s page: %v", accept, err)
		}
		if isPushed(family.GetName()) {
			families = append(families, family)
		}
	}
}

const (
	textPage     = "text/plain;version=0.0.4"
	protobufPage = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
)

func same(a, b float64) bool {
	return a == b || (math.IsNaN(a) && math.IsNaN(b))
}

// In words, what differs; at most ten things.
func difference(have, want map[string]series, kinds bool) string {
	var words []string
	for name, one := range want {
		other, found := have[name]
		switch {
		case !found:
			words = append(words, "missing: "+name)
		case !same(one.value, other.value):
			words = append(words, fmt.Sprintf("%s: %v for %v", name, other.value, one.value))
		case kinds && one.kind != other.kind:
			words = append(words, fmt.Sprintf("%s: %v for %v", name, other.kind, one.kind))
		}
	}
	for name := range have {
		if _, found := want[name]; !found {
			words = append(words, "too much: "+name)
		}
	}
	sort.Strings(words)
	return strings.Join(words[:min(len(words), 10)], "\n")
}

func TestPush(t *testing.T) {
	url, all := weir(t), registry(t)
	gathered, err := all.Gather()
	if err != nil {
		t.Fatal(err)
	}
	formats := map[string]expfmt.Format{
		"default":  "",
		"text":     expfmt.NewFormat(expfmt.TypeTextPlain),
		"protobuf": expfmt.NewFormat(expfmt.TypeProtoDelim),
	}
	for name, format := range formats {
		t.Run(name, func(t *testing.T) {
			wipe(t)
			pusher := push.New(url, "go job").Gatherer(all).Grouping("path", "/var/tmp").
				Grouping("empty", "").Grouping("zone", "ж")
			if format != "" {
				pusher = pusher.Format(format)
			}
			if err := pusher.Push(); err != nil {
				t.Fatal(err)
			}
			if err := pusher.Add(); err != nil {
				t.Fatal(err)
			}
			// A blank in the job comes as a plus: the library escapes it as in a query.
			want := samplesOf(gathered, map[string]string{"job": "go+job", "path": "/var/tmp", "zone": "ж"})
			for _, accept := range []string{textPage, protobufPage} {
				if words := difference(samplesOf(page(t, accept), nil), want, true); words != "" {
					t.Errorf("%s page:\n%s", accept, words)
				}
			}
			if err := pusher.Delete(); err != nil {
				t.Fatal(err)
			}
			if left := page(t, textPage); len(left) != 0 {
				t.Errorf("after delete: %v", left)
			}
		})
	}
}

func TestNativeHistogramAndExemplarsComeBack(t *testing.T) {
	url, all := weir(t), registry(t)
	wipe(t)
	if err := push.New(url, "j").Gatherer(all).Push(); err != nil {
		t.Fatal(err)
	}
	gathered, _ := all.Gather()
	want := map[string]*dto.MetricFamily{}
	for _, family := range gathered {
		want[family.GetName()] = family
	}
	for _, family := range page(t, protobufPage) {
		pushed := want[family.GetName()]
		switch family.GetName() {
		case "native_seconds":
			have, sent := family.Metric[0].Histogram, pushed.Metric[0].Histogram
			if fmt.Sprint(have.PositiveSpan, have.PositiveDelta, have.NegativeSpan, have.NegativeDelta,
				have.GetSchema(), have.GetZeroThreshold(), have.GetZeroCount(), have.CreatedTimestamp) !=
				fmt.Sprint(sent.PositiveSpan, sent.PositiveDelta, sent.NegativeSpan, sent.NegativeDelta,
					sent.GetSchema(), sent.GetZeroThreshold(), sent.GetZeroCount(), sent.CreatedTimestamp) {
				t.Errorf("native histogram:\n%v\nfor\n%v", have, sent)
			}
		case "took_seconds":
			for n, bucket := range pushed.Metric[0].Histogram.Bucket {
				have := family.Metric[0].Histogram.Bucket[n]
				if bucket.Exemplar.String() != have.Exemplar.String() {
					t.Errorf("exemplar: %v for %v", have.Exemplar, bucket.Exemplar)
				}
			}
		}
	}
}

func TestNegotiation(t *testing.T) {
	weir(t)
	for accept, want := range map[string]expfmt.FormatType{
		textPage:     expfmt.TypeTextPlain,
		protobufPage: expfmt.TypeProtoDelim,
		"*/*":        expfmt.TypeTextPlain,
		"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8": expfmt.TypeOpenMetrics,
		"application/openmetrics-text":                                    expfmt.TypeOpenMetrics,
	} {
		request, _ := http.NewRequest("GET", weir(t)+"/metrics", nil)
		request.Header.Set("Accept", accept)
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if have := expfmt.Format(answer.Header.Get("Content-Type")); have.FormatType() != want {
			t.Errorf("%s: %s", accept, have)
		}
		wanted := expfmt.NegotiateIncludingOpenMetrics(request.Header)
		if have := expfmt.Format(answer.Header.Get("Content-Type")); have.ToEscapingScheme() != wanted.ToEscapingScheme() {
			t.Errorf("%s: %s, expfmt: %s", accept, have, wanted)
		}
	}
}

// What expfmt makes of a family under each scheme, weir makes of it, too.
func TestEscaping(t *testing.T) {
	url := weir(t)
	names := []string{"a.b", "a_b.c", "ж", "9lives", "a b", "http.status:sum", "x__y.z", "a\"b\\", "花火", "\U0001F600",
		"a.", ".", "__x.y", "U__a.b", "a:b.c", "ünïcödé"}
	// None that dots would begin with two underscores: such are Prometheus' own, so weir has values for them.
	labels := []string{"l.m", "l_m.n", "aж", "u.9", "a b", "x__y.z", "q\"r", "a花\\"}
	for _, scheme := range []model.EscapingScheme{model.UnderscoreEscaping, model.DotsEscaping,
		model.ValueEncodingEscaping, model.NoEscaping} {
		for number, name := range names {
			wipe(t)
			label := labels[number%len(labels)]
			kind := dto.MetricType_GAUGE
			one, text := 1.0, "v"
			family := &dto.MetricFamily{Name: &name, Type: &kind, Metric: []*dto.Metric{{
				Label: []*dto.LabelPair{{Name: &label, Value: &text}}, Gauge: &dto.Gauge{Value: &one}}}}
			var body strings.Builder
			format := expfmt.NewFormat(expfmt.TypeProtoDelim).WithEscapingScheme(model.NoEscaping)
			if err := expfmt.NewEncoder(&body, format).Encode(family); err != nil {
				t.Fatal(err)
			}
			if status, words := send(t, "PUT", url+"/metrics/job/j", protobufPage, body.String()); status != 200 {
				t.Fatalf("%q: %d %s", name, status, words)
			}
			accept := protobufPage + ";escaping=" + scheme.String()
			want := samplesOf([]*dto.MetricFamily{model.EscapeMetricFamily(family, scheme)},
				map[string]string{"job": "j"})
			if words := difference(samplesOf(page(t, accept), nil), want, true); words != "" {
				t.Errorf("%s %q:\n%s", scheme, name, words)
			}
		}
	}
}
