#include "state/image/image.h"

#include <assert.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "state/image/input.h"
#include "state/image/output.h"
#include "store/restore.h"

/* ---- Writing ---- */

static void write_units(struct listing *listing, struct state_output *output)
{
	struct listing_unit *unit;
	for (;;) {
		switch (listing_next(listing, &unit)) {
		case LISTING_UNIT:
			state_output_unit(output, unit);
			listing_unit_destroy(unit);
			break;
		case LISTING_AGAIN:
			break;
		case LISTING_END:
			return;
		}
	}
}

enum image_write_result image_write(struct store *store, int fd, struct image_written *ret_written)
{
	struct listing listing;
	struct state_output output;
	if (!listing_begin(&listing, store)) {
		return IMAGE_WRITE_E_BUSY;
	}
	state_output_begin(&output, fd);
	write_units(&listing, &output);
	bool is_whole = state_output_end(&output);
	*ret_written = (struct image_written){ .bytes = output.bytes, .fault = output.fault };
	state_output_finish(&output);
	listing_end(&listing);
	return is_whole ? IMAGE_WRITE_OK : IMAGE_WRITE_E_SYSTEM;
}

/* ---- Reading ---- */

struct reading {
	struct state_input input;
	const struct image_read_options *options;
	struct image_report *report;
	struct restore restore;
	struct arena arena; /* for one record at a time */
	int64_t passed_ns;  /* since the file was written */
	int64_t now_ns;     /* monotonic */
	uint64_t records;
};

static void report_fault(struct reading *r, struct slice key, uint64_t place, const char *what)
{
	struct image_fault fault = { .key = key, .place = place, .what = what };
	r->report->faults++;
	if (r->options->on_fault != NULL) {
		r->options->on_fault(r->options->data, &fault);
	}
}

/*
 * Its life goes on with what was left of it when it was written, less what has
 * passed since. False when it is over and that is the end of it.
 */
static bool find_deadline(const struct reading *r, int64_t expires_ns, int64_t *ret_deadline_ns)
{
	int64_t left_ns;
	*ret_deadline_ns = 0;
	if (expires_ns == 0) {
		return true;
	}
	if (__builtin_sub_overflow(expires_ns, r->input.written.wall_ns, &left_ns)
			|| left_ns <= r->passed_ns) {
		*ret_deadline_ns = r->now_ns;
		return r->options->is_handed_over;
	}
	if (__builtin_add_overflow(left_ns - r->passed_ns, r->now_ns, ret_deadline_ns)) {
		*ret_deadline_ns = INT64_MAX;
	}
	return true;
}

static void put_record(struct reading *r, const struct record *record)
{
	int64_t deadline_ns;
	bool is_put = true;
	if (!find_deadline(r, record->expires_ns, &deadline_ns)) {
		r->report->expired++;
		return;
	}
	restore_group(&r->restore, &record->key, record->place, record->since_ns);
	for (size_t i = 0; i < record->push_count && is_put; i++) {
		const struct record_push *push = &record->pushes[i];
		is_put = restore_push(&r->restore, &record->key, &push->batch, push->places, push->since_ns,
				push->pushed_ns, &r->arena);
	}
	if (!is_put) {
		report_fault(r, group_key_text(&record->key, &r->arena), r->input.place,
				"one push of it is too large");
	}
	restore_set_times(&r->restore, &record->key, record->times, deadline_ns);
}

static void read_one(struct reading *r)
{
	struct record record;
	const char *what;
	r->records++;
	enum record_result result =
			record_read(r->input.bytes, &r->options->checks, &r->arena, &record, &what);
	switch (result) {
	case RECORD_OK:
		put_record(r, &record);
		break;
	case RECORD_E_DAMAGED:
	case RECORD_E_VERSION:
	case RECORD_E_INVALID:
		report_fault(r, record_guess_key(r->input.bytes, &r->arena), r->input.place, what);
		break;
	}
	arena_reset(&r->arena);
}

/* False at the end. */
static bool read_item(struct reading *r)
{
	const struct slice unknown = slice_make(NULL, 0);
	switch (state_input_next(&r->input)) {
	case STATE_INPUT_RECORD:
		read_one(r);
		return true;
	case STATE_INPUT_DAMAGE:
		report_fault(r, unknown, r->input.place, "what is here is no record");
		return true;
	case STATE_INPUT_END:
		if (r->records != r->input.records) {
			report_fault(r, unknown, r->input.place, "there are other records than were written");
		}
		return false;
	case STATE_INPUT_NO_END:
		report_fault(r, unknown, r->input.place, "the file ends before its end");
		return false;
	case STATE_INPUT_FAULT:
		break;
	}
	r->report->fault = r->input.fault;
	return false;
}

/* Slots are 16 bytes each: no more of them are empty than twice what the file takes. */
static uint64_t places_of_file(int fd)
{
	enum { FEW = 1024, BYTES_A_PLACE = 8 };
	struct stat status;
	return FEW + (fstat(fd, &status) == 0 ? (uint64_t)status.st_size / BYTES_A_PLACE : 0);
}

static enum image_read_result read_all(struct reading *r, struct store *store)
{
	struct boot_time now = boot_time_now();
	r->passed_ns = boot_time_between(&r->input.written, &now);
	r->now_ns = (int64_t)clock_monotonic_ns();
	arena_init(&r->arena);
	restore_begin(&r->restore, store,
			r->options->is_handed_over ? UINT64_MAX : places_of_file(r->input.fd));
	while (read_item(r)) {
	}
	restore_end(&r->restore);
	arena_finish(&r->arena);
	r->report->groups = store->contents->group_count;
	r->report->series = store->contents->series;
	r->report->bytes = r->input.place;
	if (r->report->fault != 0) {
		return IMAGE_READ_E_SYSTEM;
	}
	return r->report->faults == 0 ? IMAGE_READ_OK : IMAGE_READ_DAMAGED;
}

static enum image_read_result read_file(struct reading *r, struct store *store)
{
	switch (state_input_begin(&r->input, r->input.fd)) {
	case STATE_INPUT_OK:
		return read_all(r, store);
	case STATE_INPUT_E_DAMAGED:
		report_fault(r, slice_make(NULL, 0), 0, "the headers cannot be read");
		return IMAGE_READ_DAMAGED;
	case STATE_INPUT_E_FOREIGN:
		return IMAGE_READ_E_FOREIGN;
	case STATE_INPUT_E_NEWER:
		return IMAGE_READ_E_NEWER;
	case STATE_INPUT_E_SYSTEM:
		break;
	}
	r->report->fault = r->input.fault;
	return IMAGE_READ_E_SYSTEM;
}

enum image_read_result image_read(struct store *store, int fd,
		const struct image_read_options *options, struct image_report *ret_report)
{
	assert(store->contents->group_count == 0);
	*ret_report = (struct image_report){ 0 };
	struct reading r = { .input = { .fd = fd }, .options = options, .report = ret_report };
	enum image_read_result result = read_file(&r, store);
	memcpy(ret_report->written_by, r.input.written_by, sizeof(ret_report->written_by));
	state_input_finish(&r.input);
	return result;
}
