#include "format/json_series.h"

#include "format/json_native.h"
#include "format/protobuf_native.h"

static void append_metric(struct buf *out, struct slice name, const struct labels *labels)
{
	buf_append(out, SLICE("{\"metric\":{\"__name__\":"));
	json_append_escaped(out, name);
	for (size_t i = 0; i < labels->count; i++) {
		const struct label *label = &labels->pairs[i];
		if (label->value.len > 0) {
			buf_append_byte(out, ',');
			json_append_escaped(out, label->name);
			buf_append_byte(out, ':');
			json_append_escaped(out, label->value);
		}
	}
	buf_append_byte(out, '}');
}

void json_append_series(struct buf *out, struct slice name, const struct labels *labels,
		struct slice time, struct slice value)
{
	append_metric(out, name, labels);
	buf_append(out, SLICE(",\"value\":["));
	buf_append(out, time);
	buf_append_byte(out, ',');
	json_append_value_as(out, value, JSON_PROMETHEUS);
	buf_append(out, SLICE("]}"));
}

static struct slice value_of(
		const struct sample *samples, size_t count, enum sample_role role, enum sample_role other)
{
	for (size_t i = count; i > 0; i--) {
		if (samples[i - 1].role == role || samples[i - 1].role == other) {
			return samples[i - 1].value;
		}
	}
	return SLICE("0");
}

/* Prometheus leaves them out when all are empty. */
static void append_buckets(struct buf *out, struct slice fields, struct arena *arena)
{
	const struct slice key = SLICE(",\"buckets\":");
	const struct slice none = SLICE("[]");
	size_t len = out->len;
	buf_append(out, key);
	bool is_written = json_append_native_buckets(out, fields, JSON_PROMETHEUS, arena);
	if (!is_written || out->len == len + key.len + none.len) {
		out->len = len;
	}
}

bool json_series_is_native(const struct sample *last)
{
	if (last->extra == NULL || last->extra->native.len == 0) {
		return false;
	}
	struct native native = native_of(last->extra->native);
	return native_is_there(&native);
}

void json_append_native_series(struct buf *out, struct slice name, const struct sample *samples,
		size_t count, struct slice time, struct arena *arena)
{
	const struct sample *last = &samples[count - 1];
	append_metric(out, name, &last->labels);
	buf_append(out, SLICE(",\"histogram\":["));
	buf_append(out, time);
	buf_append(out, SLICE(",{\"count\":"));
	json_append_value_as(
			out, value_of(samples, count, SAMPLE_COUNT, SAMPLE_GCOUNT), JSON_PROMETHEUS);
	buf_append(out, SLICE(",\"sum\":"));
	json_append_value_as(out, value_of(samples, count, SAMPLE_SUM, SAMPLE_GSUM), JSON_PROMETHEUS);
	append_buckets(out, last->extra->native, arena);
	buf_append(out, SLICE("}]}"));
}
