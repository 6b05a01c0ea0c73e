#include "transfer/line_write.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/base64.h"
#include "base/number.h"
#include "format/json.h"
#include "version.h"

void line_writer_init(struct line_writer *writer, struct buf *out)
{
	*writer = (struct line_writer){ .out = out };
}

/* ---- Pieces ---- */

static void put(struct line_writer *writer, struct slice text)
{
	buf_append(writer->out, text);
}

/* "1795779540.123456789": as many decimals as it takes. */
static void put_time(struct line_writer *writer, int64_t time_ns)
{
	enum { SECOND_NS = 1000000000 };
	buf_printf(writer->out, "\"%" PRId64, time_ns / SECOND_NS);
	if (time_ns % SECOND_NS != 0) {
		char decimals[16];
		int len = snprintf(decimals, sizeof(decimals), ".%09" PRId64, time_ns % SECOND_NS);
		while (decimals[len - 1] == '0') {
			len--;
		}
		put(writer, slice_make(decimals, (size_t)len));
	}
	buf_append_byte(writer->out, '"');
}

/* ,"pushed":"1795779540" unless it is 0 */
static void put_time_unless_never(struct line_writer *writer, struct slice head, int64_t time_ns)
{
	if (time_ns != 0) {
		put(writer, head);
		put_time(writer, time_ns);
	}
}

static void put_text(struct line_writer *writer, struct slice head, struct slice text)
{
	put(writer, head);
	json_append_string(writer->out, text);
}

/* Backslash and line feed are escaped in help, quotes are not. */
static void put_help(struct line_writer *writer, struct slice help)
{
	put(writer, SLICE(",\"help\":"));
	json_append_escaped(writer->out, help);
}

static void put_base64(struct line_writer *writer, struct slice bytes)
{
	static const char digits[] =
			"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789" BASE64_STANDARD;
	buf_append_byte(writer->out, '"');
	for (size_t i = 0; i < bytes.len; i += 3) {
		size_t count = bytes.len - i < 3 ? bytes.len - i : 3;
		unsigned char group[3] = { 0 };
		memcpy(group, bytes.ptr + i, count);
		unsigned bits = (unsigned)group[0] << 16 | (unsigned)group[1] << 8 | group[2];
		const char text[4] = {
			digits[bits >> 18],
			digits[bits >> 12 & 63],
			count > 1 ? digits[bits >> 6 & 63] : '=',
			count > 2 ? digits[bits & 63] : '=',
		};
		put(writer, slice_make(text, sizeof(text)));
	}
	buf_append_byte(writer->out, '"');
}

static void put_count(struct line_writer *writer, struct slice head, uint64_t count)
{
	char digits[NUMBER_TEXT_MAX];
	put(writer, head);
	put(writer, slice_make(digits, number_format_uint(count, digits)));
}

static void put_place(struct line_writer *writer, uint32_t place)
{
	if (place != SLOT_NONE) {
		put_count(writer, SLICE(",\"place\":"), place);
	}
}

/* ---- Labels ---- */

static void put_label(struct line_writer *writer, bool is_first, const struct label *label)
{
	put(writer, is_first ? SLICE("{") : SLICE(","));
	json_append_escaped(writer->out, label->name);
	buf_append_byte(writer->out, ':');
	json_append_escaped(writer->out, label->value);
}

/* Whether lines get that label from the key in any case; *next goes along with the labels. */
static bool is_of_key(const struct line_writer *writer, size_t *next, const struct label *label)
{
	const struct labels *key = &writer->key;
	while (*next < key->count && slice_compare(key->pairs[*next].name, label->name) < 0) {
		(*next)++;
	}
	if (*next < key->count && slice_equal(key->pairs[*next].name, label->name)) {
		return true;
	}
	return writer->implies_instance && label->value.len == 0
			&& slice_equal(label->name, SLICE("instance"));
}

/* Returns whether there were any. */
static bool put_own_labels(struct line_writer *writer, const struct labels *labels)
{
	size_t next = 0;
	size_t count = 0;
	for (size_t i = 0; i < labels->count; i++) {
		const struct label *label = &labels->pairs[i];
		if (is_of_key(writer, &next, label)) {
			continue;
		}
		put(writer, count == 0 ? SLICE("\"labels\":") : SLICE(""));
		put_label(writer, count == 0, label);
		count++;
	}
	put(writer, count > 0 ? SLICE("},") : SLICE(""));
	return count > 0;
}

/* ---- Groups ---- */

void line_begin_group(struct line_writer *writer, const struct line_group *group)
{
	const struct labels *key = &group->key.labels;
	writer->key = *key;
	writer->implies_instance = labels_find(key, SLICE("instance")).ptr == NULL;
	writer->has_family = false;
	put(writer, SLICE("{\"labels\":"));
	for (size_t i = 0; i < key->count; i++) {
		put_label(writer, i == 0, &key->pairs[i]);
	}
	put(writer, key->count == 0 ? SLICE("{}") : SLICE("}"));
	put_time_unless_never(writer, SLICE(",\"pushed\":"), group->times.pushed_ns);
	put_time_unless_never(writer, SLICE(",\"failed\":"), group->times.failed_ns);
	put_time_unless_never(writer, SLICE(",\"expires\":"), group->expires_ns);
	put_place(writer, group->place);
	put(writer, group->adds ? SLICE(",\"adds\":true") : SLICE(""));
	put(writer, SLICE(",\"families\":["));
	writer->counts.lines++;
	writer->counts.groups += !group->adds;
}

void line_end_group(struct line_writer *writer)
{
	put(writer, SLICE("]}\n"));
}

void line_begin_family(struct line_writer *writer, const struct line_family *family)
{
	put(writer, writer->has_family ? SLICE(",{\"name\":") : SLICE("{\"name\":"));
	json_append_escaped(writer->out, family->name);
	put_text(writer, SLICE(",\"type\":"), line_type_name(family->type));
	if (family->help.ptr != NULL) {
		put_help(writer, family->help);
	}
	if (family->unit.ptr != NULL) {
		put_text(writer, SLICE(",\"unit\":"), family->unit);
	}
	put(writer, SLICE(",\"pushed\":"));
	put_time(writer, family->pushed_ns);
	put_place(writer, family->place);
	put(writer, family->is_openmetrics ? SLICE(",\"openmetrics\":true") : SLICE(""));
	put(writer, family->is_shadowed ? SLICE(",\"shadowed\":true") : SLICE(""));
	put(writer, SLICE(",\"samples\":["));
	writer->has_family = true;
	writer->has_sample = false;
	writer->counts.families++;
}

void line_end_family(struct line_writer *writer)
{
	put(writer, SLICE("]}"));
}

static void put_extra(struct line_writer *writer, const struct sample_extra *extra)
{
	if (extra->exemplar.len > 0) {
		put_text(writer, SLICE(",\"exemplar\":"), extra->exemplar);
	}
	if (extra->created.len > 0) {
		put_text(writer, SLICE(",\"created\":"), extra->created);
	}
	if (extra->native.len > 0) {
		put(writer, SLICE(",\"native\":"));
		put_base64(writer, extra->native);
	}
	put(writer, extra->is_added ? SLICE(",\"added\":true") : SLICE(""));
}

void line_put_sample(struct line_writer *writer, const struct sample *sample)
{
	struct slice suffix = sample_suffix(sample->role);
	put(writer, writer->has_sample ? SLICE(",{") : SLICE("{"));
	if (suffix.len > 0) {
		put_text(writer, SLICE("\"suffix\":"), suffix);
		buf_append_byte(writer->out, ',');
	}
	put_own_labels(writer, &sample->labels);
	put_text(writer, SLICE("\"value\":"), sample->value);
	if (sample->extra != NULL) {
		put_extra(writer, sample->extra);
	}
	buf_append_byte(writer->out, '}');
	writer->has_sample = true;
	writer->counts.series++;
}

/* ---- The first line and the last ---- */

void line_put_header(struct line_writer *writer, int64_t time_ns)
{
	put_count(writer, SLICE("{\"weir_export\":"), LINE_VERSION);
	put_text(writer, SLICE(",\"written_by\":"), SLICE("weir " WEIR_VERSION));
	put(writer, SLICE(",\"time\":"));
	put_time(writer, time_ns);
	put(writer, SLICE("}\n"));
}

void line_put_end(struct line_writer *writer, const struct line_counts *counts)
{
	put_count(writer, SLICE("{\"weir_export_end\":"), LINE_VERSION);
	put_count(writer, SLICE(",\"lines\":"), counts->lines);
	put_count(writer, SLICE(",\"groups\":"), counts->groups);
	put_count(writer, SLICE(",\"families\":"), counts->families);
	put_count(writer, SLICE(",\"series\":"), counts->series);
	if (counts->left_out > 0) {
		put_count(writer, SLICE(",\"left_out\":"), counts->left_out);
	}
	put(writer, SLICE("}\n"));
}

void line_counts_add(struct line_counts *counts, const struct line_counts *more)
{
	counts->lines += more->lines;
	counts->groups += more->groups;
	counts->families += more->families;
	counts->series += more->series;
	counts->left_out += more->left_out;
}
