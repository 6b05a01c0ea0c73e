#include "format/protobuf_parse.h"

#include "base/hash.h"
#include "base/quote.h"
#include "base/utf8.h"
#include "format/protobuf_parser.h"

/* ---- What is wrong ---- */

/* In quotes, and not all of it when it is long. */
static void append_name(struct buf *out, struct arena *arena, struct slice escaped)
{
	enum { SHOWN_BYTES = 200 };
	quote_append(out, slice_first(labels_unescape(arena, escaped), SHOWN_BYTES));
}

/* Where in the body that is, for people: family and metric. */
static struct slice describe_place(struct protobuf_parser *p)
{
	struct buf text;
	buf_init(&text, 0);
	if (p->metric_number > 0) {
		buf_printf(&text, "metric %zu of ", p->metric_number);
	}
	buf_printf(&text, "family %zu", p->family_number);
	if (p->family != NULL) {
		buf_append(&text, SLICE(", "));
		append_name(&text, p->arena, p->family->batch.name);
	}
	struct slice copy = arena_copy(p->arena, buf_slice(&text));
	buf_finish(&text);
	return copy;
}

static bool fail(
		struct protobuf_parser *p, enum format_result result, const char *at, struct slice what)
{
	p->result = result;
	*p->error = (struct format_error){
		.offset = (size_t)(at - p->body.ptr),
		.what = what,
		.hint = describe_place(p),
	};
	return false;
}

/* The words are those of Go's protobuf, with its no-break space. */
bool protobuf_fail_wire(struct protobuf_parser *p, const char *at)
{
	return fail(p, FORMAT_E_SYNTAX, at,
			SLICE("proto:\xc2\xa0"
				  "cannot parse invalid wire-format data"));
}

bool protobuf_fail_limit(struct protobuf_parser *p, const char *at, enum format_limit limit)
{
	fail(p, FORMAT_E_LIMIT, at, SLICE(""));
	p->error->limit = limit;
	return false;
}

bool protobuf_may_add(struct protobuf_parser *p, const char *at, size_t samples)
{
	return samples <= p->options->samples - p->sample_count
			|| protobuf_fail_limit(p, at, FORMAT_LIMIT_SAMPLES);
}

/* Nothing of it is recorded: it would harm the page whatever is checked. */
void protobuf_set_fault(struct protobuf_parser *p, struct slice what)
{
	struct batch_fault *fault = &p->family->fault;
	struct buf text;
	if (fault->text.ptr != NULL) {
		return;
	}
	buf_init(&text, 0);
	buf_append(&text, SLICE("collected metric "));
	append_name(&text, p->arena, p->family->batch.name);
	buf_append_byte(&text, ' ');
	buf_append(&text, what);
	fault->text = arena_copy(p->arena, buf_slice(&text));
	fault->leaves_trace = false;
	buf_finish(&text);
}

/* ---- Families ---- */

/* What a MetricFamily says about itself; its metrics are read later. */
struct head {
	struct slice name;
	struct slice help;
	struct slice unit;
	uint64_t type;
	size_t metric_count;
};

static bool read_head(struct protobuf_parser *p, struct slice message, struct head *ret_head)
{
	struct head head = { 0 };
	struct wire_reader in = wire_reader_of(message);
	struct wire_field field;
	while (wire_next(&in, &field)) {
		switch (field.tag) {
		case WIRE_TAG(1, WIRE_BYTES):
			head.name = field.bytes;
			break;
		case WIRE_TAG(2, WIRE_BYTES):
			head.help = field.bytes;
			break;
		case WIRE_TAG(3, WIRE_VARINT):
			head.type = (uint32_t)field.number;
			break;
		case WIRE_TAG(4, WIRE_BYTES):
			head.metric_count++;
			break;
		case WIRE_TAG(5, WIRE_BYTES):
			head.unit = field.bytes;
			break;
		default:
			break;
		}
	}
	*ret_head = head;
	return !in.failed || protobuf_fail_wire(p, in.at);
}

/* Names that no text can have are shown escaped; one that is not UTF-8 could not even be. */
static struct slice family_name(struct protobuf_parser *p, struct slice name)
{
	return labels_escape(p->arena, protobuf_repair(p->arena, name));
}

/* As a HELP line has it. */
static struct slice escape_help(struct arena *arena, struct slice help)
{
	size_t special = 0;
	for (size_t i = 0; i < help.len; i++) {
		special += help.ptr[i] == '\\' || help.ptr[i] == '\n';
	}
	if (special == 0) {
		return help;
	}
	char *text = arena_text(arena, help.len + special);
	char *out = text;
	for (size_t i = 0; i < help.len; i++) {
		char c = help.ptr[i];
		if (c == '\\' || c == '\n') {
			*out++ = '\\';
		}
		*out++ = c == '\n' ? 'n' : c;
	}
	return slice_between(text, out);
}

static struct protobuf_family *find_family(
		struct protobuf_parser *p, struct slice name, uint64_t hash)
{
	struct map_node *node = map_first(&p->by_name, hash);
	for (; node != NULL; node = map_next(node, hash)) {
		struct protobuf_family *family = MAP_ENTRY(node, struct protobuf_family, node);
		if (slice_equal(family->batch.name, name)) {
			return family;
		}
	}
	return NULL;
}

static struct protobuf_family *add_family(
		struct protobuf_parser *p, struct slice name, uint64_t hash)
{
	struct protobuf_family *family = arena_zalloc(p->arena, 1, sizeof(*family));
	family->batch.name = name;
	map_insert(&p->by_name, &family->node, hash);
	*p->last = family;
	p->last = &family->next;
	return family;
}

/* Nothing stays of what an earlier message of that name said. */
static void forget_family(struct protobuf_family *family)
{
	family->batch = (struct batch_family){ .name = family->batch.name };
	family->mismatch = NULL;
	family->has_timestamps = false;
	family->fault = (struct batch_fault){ 0 };
}

/* False when there is no such type. */
static bool find_type(uint64_t number, enum metric_type *ret_type)
{
	static const enum metric_type types[] = { METRIC_COUNTER, METRIC_GAUGE, METRIC_SUMMARY,
		METRIC_UNTYPED, METRIC_HISTOGRAM, METRIC_GAUGE_HISTOGRAM };
	if (number >= sizeof(types) / sizeof(types[0])) {
		return false;
	}
	*ret_type = types[number];
	return true;
}

/* Finds or makes p->family and gives it what the head says. */
static bool enter_family(struct protobuf_parser *p, const char *at, const struct head *head)
{
	enum metric_type type;
	if (head->name.len == 0) {
		return fail(p, FORMAT_E_SYNTAX, at,
				arena_printf(
						p->arena, "the metric family number %zu has no name", p->family_number));
	}
	if (head->name.len > p->options->label_bytes) {
		return protobuf_fail_limit(p, at, FORMAT_LIMIT_LABEL_BYTES);
	}
	struct slice name = family_name(p, head->name);
	uint64_t hash = hash64(name);
	struct protobuf_family *family = find_family(p, name, hash);
	p->family = family != NULL ? family : add_family(p, name, hash);
	forget_family(p->family);
	if (!find_type(head->type, &type)) {
		return fail(p, FORMAT_E_SYNTAX, at,
				arena_printf(p->arena, "unknown metric type number %d",
						(int)(int32_t)(uint32_t)head->type));
	}
	p->family->batch.type = type;
	if (head->help.len > 0) {
		p->family->batch.help = escape_help(p->arena, protobuf_repair(p->arena, head->help));
	}
	if (head->unit.len > 0 && utf8_is_valid(head->unit)) {
		p->family->batch.unit = head->unit;
	}
	return true;
}

static bool read_metrics(struct protobuf_parser *p, struct slice message)
{
	struct wire_reader in = wire_reader_of(message);
	struct wire_field field;
	while (wire_next(&in, &field)) {
		if (field.tag == WIRE_TAG(4, WIRE_BYTES)) {
			p->metric_number++;
			if (!protobuf_read_metric(p, field.bytes)
					|| !protobuf_add_samples(p, field.whole.ptr)) {
				return false;
			}
		}
	}
	return true;
}

/* A message without metrics still takes the place of an earlier one. */
static void drop_family(struct protobuf_parser *p, const struct head *head)
{
	struct slice name = family_name(p, head->name);
	struct protobuf_family *family = find_family(p, name, hash64(name));
	if (family != NULL) {
		forget_family(family);
	}
}

static bool read_family(struct protobuf_parser *p, struct slice message)
{
	struct head head;
	p->family_number++;
	p->metric_number = 0;
	p->family = NULL;
	if (!read_head(p, message, &head)) {
		return false;
	}
	if (head.metric_count == 0) {
		drop_family(p, &head);
		return true;
	}
	return protobuf_may_add(p, message.ptr, head.metric_count)
			&& enter_family(p, message.ptr, &head) && read_metrics(p, message);
}

/* ---- The body ---- */

static bool read_body(struct protobuf_parser *p)
{
	const char *at = p->body.ptr;
	const char *end = at + p->body.len;
	while (at < end) {
		uint64_t len;
		const char *start = at;
		switch (wire_read_varint(&at, end, &len)) {
		case WIRE_OK:
			break;
		case WIRE_E_TRUNCATED:
			p->family_number++;
			return fail(p, FORMAT_E_SYNTAX, start, SLICE("unexpected EOF"));
		case WIRE_E_OVERFLOW:
			p->family_number++;
			return fail(p, FORMAT_E_SYNTAX, start,
					SLICE("proto:\xc2\xa0"
						  "variable length integer overflow"));
		}
		if (len > (uint64_t)(end - at)) {
			p->family_number++;
			return fail(p, FORMAT_E_SYNTAX, start, SLICE("unexpected EOF"));
		}
		if (!read_family(p, slice_make(at, (size_t)len))) {
			return false;
		}
		at += len;
	}
	return true;
}

static void collect_families(struct protobuf_parser *p)
{
	struct batch *batch = p->batch;
	struct batch_family **link = &batch->families;
	for (struct protobuf_family *family = p->first; family != NULL; family = family->next) {
		if (family->batch.sample_count == 0) {
			continue;
		}
		*link = &family->batch;
		link = &family->batch.next;
		batch->family_count++;
		batch->sample_count += family->batch.sample_count;
		batch->has_timestamps |= family->has_timestamps;
		if (batch->fault.text.ptr == NULL) {
			batch->fault = family->fault;
		}
	}
	*link = NULL;
}

enum format_result protobuf_parse(struct slice body, const struct format_options *options,
		struct arena *arena, struct batch *ret_batch, struct format_error *reterr_error)
{
	struct protobuf_parser p = {
		.body = body.len == 0 ? SLICE("") : body,
		.options = options,
		.arena = arena,
		.batch = ret_batch,
		.error = reterr_error,
	};
	p.last = &p.first;
	map_init(&p.by_name);
	buf_init(&p.metric.native_fields, 0);
	*ret_batch = (struct batch){ 0 };
	if (read_body(&p)) {
		collect_families(&p);
	}
	buf_finish(&p.metric.native_fields);
	map_finish(&p.by_name);
	return p.result;
}
