#include "cli/import_poster.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "cli/check_report.h"
#include "transfer/line_read.h"
#include "transfer/outcome.h"

enum {
	BODY_BYTES = 1024 * 1024, /* about, of one request */
	FAULTS_SHOWN_MAX = 100,
	TRIES_MAX = 6, /* of a request that is answered by 503 */
};

static const char path[] = "/api/v1/import";
static const char path_if_newer[] = "/api/v1/import?if=newer";

void import_poster_init(
		struct import_poster *poster, struct remote *remote, const struct import_source *source)
{
	*poster = (struct import_poster){ .remote = remote, .source = source };
	buf_init(&poster->body, 0);
	buf_init(&poster->answer, 0);
	arena_init(&poster->arena);
}

void import_poster_finish(struct import_poster *poster)
{
	buf_finish(&poster->body);
	buf_finish(&poster->answer);
	arena_finish(&poster->arena);
}

/* ---- What was refused ---- */

/* groups.jsonl:17: {instance="",job="x"}: REASON */
static void show_fault(
		struct import_poster *poster, uint64_t number, struct slice group, struct slice reason)
{
	struct buf text;
	poster->faults_shown++;
	if (poster->faults_shown > FAULTS_SHOWN_MAX) {
		return;
	}
	poster->before_message(poster->data);
	buf_init(&text, 0);
	check_report_append_printable(&text, slice_of_string(poster->source->name));
	if (number > 0) {
		buf_printf(&text, ":%" PRIu64, number);
	}
	buf_append_string(&text, ": ");
	if (group.len > 0) {
		buf_append_byte(&text, '{');
		check_report_append_printable(&text, group);
		buf_append_string(&text, "}: ");
	}
	check_report_append_printable(&text, reason);
	buf_append_byte(&text, '\n');
	fwrite(text.ptr, 1, text.len, stderr);
	buf_finish(&text);
	if (poster->faults_shown == FAULTS_SHOWN_MAX) {
		fputs("further faults are only counted\n", stderr);
	}
}

static void take_outcome(struct import_poster *poster, const struct outcome *outcome, size_t first)
{
	poster->groups += outcome->groups;
	poster->series += outcome->series;
	poster->unchanged += outcome->unchanged;
	poster->kept += outcome->kept;
	poster->expired += outcome->expired;
	poster->refused += outcome->refused;
	for (size_t i = 0; i < outcome->fault_count; i++) {
		const struct outcome_fault *fault = &outcome->faults[i];
		size_t line = first + (size_t)fault->line - 1;
		show_fault(poster, line < poster->count ? poster->numbers[line] : 0, fault->group,
				fault->reason);
	}
	if (outcome->refused > outcome->fault_count) {
		poster->before_message(poster->data);
		fprintf(stderr, "%" PRIu64 " more of the same request were refused\n",
				outcome->refused - outcome->fault_count);
	}
}

/* ---- Requests ---- */

/* Twice as long each time, from a quarter of a second on. */
static void pause_before(int try_number)
{
	enum { FIRST_NS = 250 * 1000 * 1000, SECOND_NS = 1000 * 1000 * 1000 };
	int64_t ns = (int64_t)FIRST_NS << (try_number - 1);
	struct timespec pause = { .tv_sec = ns / SECOND_NS, .tv_nsec = ns % SECOND_NS };
	nanosleep(&pause, NULL);
}

/* A weir that is starting, or that could not store something yet, is asked again. */
static long post(struct import_poster *poster, struct slice body)
{
	enum { UNAVAILABLE = 503 };
	const char *target = poster->only_newer ? path_if_newer : path;
	long status = remote_post(poster->remote, target, body, &poster->answer);
	for (int i = 1; status == UNAVAILABLE && i < TRIES_MAX; i++) {
		pause_before(i);
		status = remote_post(poster->remote, target, body, &poster->answer);
	}
	return status;
}

static bool post_lines(struct import_poster *poster, size_t first, size_t count);

/* More than the weir takes at a time: by halves; a line alone is refused. */
static bool post_halves(struct import_poster *poster, size_t first, size_t count)
{
	if (count > 1) {
		return post_lines(poster, first, count / 2)
				&& post_lines(poster, first + count / 2, count - count / 2);
	}
	poster->refused++;
	show_fault(poster, poster->numbers[first], slice_make(NULL, 0),
			SLICE("the line is larger than this weir takes at a time (--limit.body-bytes)"));
	return true;
}

static bool post_lines(struct import_poster *poster, size_t first, size_t count)
{
	enum { OK = 200, TOO_LARGE = 413 };
	size_t start = poster->starts[first];
	size_t end = first + count < poster->count ? poster->starts[first + count] : poster->body.len;
	struct outcome outcome;
	long status = post(poster, slice_make(poster->body.ptr + start, end - start));
	if (status == TOO_LARGE) {
		return post_halves(poster, first, count);
	}
	arena_reset(&poster->arena);
	if (status == OK && outcome_read(buf_slice(&poster->answer), &poster->arena, &outcome)) {
		take_outcome(poster, &outcome, first);
		return true;
	}
	poster->before_message(poster->data);
	remote_complain(poster->remote, "cannot import into", status, buf_slice(&poster->answer));
	return false;
}

bool import_poster_flush(struct import_poster *poster)
{
	bool goes_on = poster->count == 0 || post_lines(poster, 0, poster->count);
	poster->count = 0;
	buf_reset(&poster->body, 2 * BODY_BYTES);
	return goes_on;
}

/* ---- Lines ---- */

static void rehearse(struct import_poster *poster, struct slice text)
{
	struct line line;
	struct line_error error;
	arena_reset(&poster->arena);
	if (line_read(text, &poster->arena, &line, &error)) {
		poster->groups += !line.group.adds;
		poster->series += line.series;
	} else {
		poster->refused++;
		show_fault(poster, poster->source->line, error.labels, error.what);
	}
}

bool import_poster_add(struct import_poster *poster, struct slice line)
{
	if (poster->remote == NULL) {
		rehearse(poster, line);
		return true;
	}
	bool is_full = poster->count == IMPORT_LINES_MAX
			|| (poster->count > 0 && poster->body.len + line.len > BODY_BYTES);
	if (is_full && !import_poster_flush(poster)) {
		return false;
	}
	poster->numbers[poster->count] = poster->source->line;
	poster->starts[poster->count++] = poster->body.len;
	buf_append(&poster->body, line);
	buf_append_byte(&poster->body, '\n');
	return true;
}
