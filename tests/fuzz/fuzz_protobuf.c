/*
 * A body in delimited protobuf. What is taken can be written again, and what is
 * written is read as the same samples and written as the same bytes.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/utf8.h"
#include "format/protobuf_parse.h"
#include "unit/protobuf_batch.h"
#include "unit/protobuf_dump.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct format_options limits = { .samples = 2000, .labels = 40, .label_bytes = 2000 };

static void expect(bool is_so, const char *what)
{
	if (!is_so) {
		fprintf(stderr, "broken: %s\n", what);
		abort();
	}
}

/* ---- What every batch is ---- */

static void check_labels(const struct labels *labels)
{
	for (size_t i = 0; i < labels->count; i++) {
		const struct label *label = &labels->pairs[i];
		expect(label->name.len > 0 && utf8_is_valid(label->name), "a name that cannot be");
		expect(label->value.ptr != NULL && utf8_is_valid(label->value), "a value that cannot be");
		expect(slice_find_byte(label->name, '\n') == NULL, "a name that is not escaped");
		expect(slice_find_byte(label->value, '\n') == NULL, "a value that is not escaped");
		expect(i == 0 || slice_compare(label[-1].name, label->name) < 0, "labels out of order");
	}
}

/* Whether there is a reason to refuse it. */
static bool check_batch(const struct batch *batch)
{
	bool has_problem = batch->fault.text.ptr != NULL;
	for (const struct batch_family *f = batch->families; f != NULL; f = f->next) {
		expect(f->name.len > 0 && utf8_is_valid(f->name), "a family without a name");
		expect(utf8_is_valid(f->help) && utf8_is_valid(f->unit), "a text that is not UTF-8");
		expect(f->sample_count > 0, "a family without samples");
		for (size_t i = 0; i < f->sample_count; i++) {
			const struct sample *sample = &f->samples[i];
			check_labels(&sample->labels);
			expect(number_is_float(sample->value), "a value that is no number");
			has_problem |= sample->extra != NULL && sample->extra->problem.ptr != NULL;
		}
	}
	return has_problem;
}

/* ---- There and back ---- */

static struct slice write_batch(const struct batch *batch, struct arena *arena)
{
	struct buf out;
	buf_init(&out, 0);
	protobuf_batch_append(&out, batch);
	struct slice copy = out.len == 0 ? SLICE("") : arena_copy(arena, buf_slice(&out));
	buf_finish(&out);
	return copy;
}

/*
 * A unit that its name does not end with is not written; and a float count that
 * is whole is written as an integer, which has other digits.
 */
static void normalise(struct batch *batch, struct arena *arena)
{
	batch->has_timestamps = false;
	for (struct batch_family *f = batch->families; f != NULL; f = f->next) {
		f->unit = slice_make(NULL, 0);
		for (size_t i = 0; i < f->sample_count; i++) {
			char digits[NUMBER_TEXT_MAX];
			size_t len = number_format(number_value(f->samples[i].value), digits);
			f->samples[i].value = arena_copy(arena, slice_make(digits, len));
		}
	}
}

static void check_page(struct batch *batch, struct arena *arena)
{
	struct batch again;
	struct format_error error;
	struct slice page = write_batch(batch, arena);
	expect(protobuf_parse(page, &limits, arena, &again, &error) == FORMAT_OK,
			"the page is not taken");
	expect(!check_batch(&again), "the page is refused");
	expect(slice_equal(write_batch(&again, arena), page), "the page of the page is another");
	normalise(batch, arena);
	normalise(&again, arena);
	expect(slice_equal(protobuf_dump(batch, arena), protobuf_dump(&again, arena)),
			"the page has other samples");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool is_ready;
	struct arena arena;
	struct batch batch;
	struct format_error error;
	if (!is_ready) {
		hash_init();
		is_ready = true;
	}
	arena_init(&arena);
	/* A copy that ends where its memory does. */
	char *copy = memory_alloc(size + 1);
	if (size > 0) {
		memcpy(copy + 1, data, size);
	}
	switch (protobuf_parse(slice_make(copy + 1, size), &limits, &arena, &batch, &error)) {
	case FORMAT_OK:
		if (!check_batch(&batch)) {
			check_page(&batch, &arena);
		}
		break;
	case FORMAT_E_SYNTAX:
		expect(error.what.len > 0 && error.hint.len > 0, "an error without words");
		expect(error.offset <= size, "a place behind the body");
		break;
	case FORMAT_E_LIMIT:
		break;
	}
	arena_finish(&arena);
	free(copy);
	return 0;
}
