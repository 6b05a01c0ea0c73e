package extra

import (
	"bufio"
	"bytes"
	"io"
	"math/rand"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/proto"
)

// As a Pushgateway reads a body: of families with one name the last counts. It has no limit to the
// size, though, and dies of a length of many gigabytes.
func decoded(body []byte) (map[string]*dto.MetricFamily, error) {
	families := map[string]*dto.MetricFamily{}
	reader := bufio.NewReader(bytes.NewReader(body))
	for {
		family := &dto.MetricFamily{}
		err := protodelim.UnmarshalOptions{MaxSize: 1 << 24}.UnmarshalFrom(reader, family)
		if err == io.EOF {
			return families, nil
		} else if err != nil {
			return nil, err
		}
		families[family.GetName()] = family
	}
}

func encoded(t testing.TB, families ...*dto.MetricFamily) []byte {
	var body bytes.Buffer
	for _, family := range families {
		if _, err := protodelim.MarshalTo(&body, family); err != nil {
			t.Fatal(err)
		}
	}
	return body.Bytes()
}

// Whether a family is what samplesOf() understands as weir does: nothing in it but what its type
// says, in UTF-8.
func isPlain(family *dto.MetricFamily) bool {
	if !utf8.ValidString(family.GetName()) {
		return false
	}
	for _, metric := range family.Metric {
		contents := 0
		for _, has := range []bool{metric.Counter != nil, metric.Gauge != nil, metric.Untyped != nil,
			metric.Summary != nil, metric.Histogram != nil} {
			if has {
				contents++
			}
		}
		for _, label := range metric.Label {
			if label.GetName() == "job" {
				return false
			}
		}
		if contents != 1 {
			return false
		}
	}
	return true
}

// Changed, cut or doubled somewhere; lengths in front are made right, mostly.
func mutateBytes(random *rand.Rand, body []byte, seeds [][]byte) []byte {
	body = append([]byte{}, body...)
	for range 1 + random.Intn(3) {
		if len(body) < 3 {
			break
		}
		at := 1 + random.Intn(len(body)-1)
		end := min(len(body), at+1+random.Intn(12))
		other := seeds[random.Intn(len(seeds))]
		from := random.Intn(len(other))
		switch random.Intn(6) {
		case 0:
			body[at] = byte(random.Intn(256))
		case 1:
			body[at] ^= 1 << random.Intn(8)
		case 2:
			body = append(body[:at:at], body[end:]...)
		case 3:
			body = append(append(append([]byte{}, body[:at]...), other[from:min(len(other), from+20)]...), body[end:]...)
		case 4:
			body = append(append([]byte{}, body[:end]...), body[at:]...)
		default:
			body = append(body, other...)
		}
	}
	if random.Intn(4) > 0 && len(body) > 2 {
		_, used := protoVarint(body)
		var framed []byte
		for length := len(body) - used; ; length >>= 7 {
			if length < 0x80 {
				framed = append(framed, byte(length))
				break
			}
			framed = append(framed, byte(length)|0x80)
		}
		body = append(framed, body[used:]...)
	}
	return body
}

func protoVarint(body []byte) (value, used int) {
	for used = 0; used < len(body); used++ {
		value |= int(body[used]&0x7f) << (7 * used)
		if body[used] < 0x80 {
			return value, used + 1
		}
	}
	return value, used
}

func isUnreadable(answer string) bool {
	return strings.HasPrefix(answer, "proto:") || strings.HasPrefix(answer, "unexpected EOF")
}

// The same bodies read and not read as Go's library does, and the same samples.
func TestProtobufDecodersAgree(t *testing.T) {
	target := weir(t) + "/metrics/job/j"
	wipe(t)
	gathered, err := registry(t).Gather()
	if err != nil {
		t.Fatal(err)
	}
	var seeds [][]byte
	for _, family := range gathered {
		seeds = append(seeds, encoded(t, family))
	}
	seeds = append(seeds, encoded(t, gathered[:2]...))
	seed := time.Now().UnixNano()
	random := rand.New(rand.NewSource(seed))
	count, taken := 0, 0
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end) && !t.Failed(); count++ {
		body := mutateBytes(random, seeds[random.Intn(len(seeds))], seeds)
		families, err := decoded(body)
		status, answer := send(t, "PUT", target, protobufPage, string(body))
		switch {
		case status != 200 && status != 400:
			t.Errorf("%q: %d %s", body, status, answer)
		case err != nil && status == 200: // which fault of several is told is free
			t.Errorf("%q: Go says %v; weir %d %s", body, err, status, answer)
		case err == nil && isUnreadable(answer):
			t.Errorf("%q: Go reads it; weir says %s", body, answer)
		case status == 200:
			taken++
			compareSamples(t, body, families)
		}
	}
	t.Logf("seed %d: %d bodies, %d of them stored", seed, count, taken)
}

func compareSamples(t *testing.T, body []byte, families map[string]*dto.MetricFamily) {
	var pushed []*dto.MetricFamily
	for _, family := range families {
		if !isPlain(family) {
			return
		}
		if isPushed(family.GetName()) {
			pushed = append(pushed, proto.Clone(family).(*dto.MetricFamily))
		}
	}
	want := samplesOf(pushed, map[string]string{"job": "j"})
	have := samplesOf(page(t, protobufPage+";escaping=allow-utf-8"), nil)
	if words := difference(have, want, true); words != "" {
		t.Errorf("%q:\n%s", body, words)
	}
}
