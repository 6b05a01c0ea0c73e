#include "cli/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"

static const double second_ns = 1e9;

void progress_init(struct progress *progress, const char *verb, bool is_quiet)
{
	*progress = (struct progress){
		.verb = verb,
		.is_shown = !is_quiet && isatty(STDERR_FILENO) == 1,
		.began_ns = clock_monotonic_ns(),
	};
}

static void print_size(double bytes, const char *behind)
{
	if (bytes < 1e6) {
		fprintf(stderr, ", %.0f kB%s", bytes / 1e3, behind);
	} else {
		fprintf(stderr, ", %.1f MB%s", bytes / 1e6, behind);
	}
}

void progress_show(struct progress *progress)
{
	enum { SHOWN_EVERY_NS = 200 * 1000 * 1000 };
	uint64_t now_ns = clock_monotonic_ns();
	if (!progress->is_shown || now_ns - progress->shown_ns < SHOWN_EVERY_NS) {
		return;
	}
	progress->shown_ns = now_ns;
	double seconds = (double)(now_ns - progress->began_ns) / second_ns;
	fprintf(stderr, "\r\033[K%s %" PRIu64 " groups", progress->verb, progress->groups);
	if (progress->series > 0) {
		fprintf(stderr, ", %" PRIu64 " series", progress->series);
	}
	print_size((double)progress->bytes, "");
	if (progress->total > 0) {
		fprintf(stderr, " (%.0f %%)", 100.0 * (double)progress->bytes / (double)progress->total);
	}
	if (seconds > 0) {
		print_size((double)progress->bytes / seconds, "/s");
	}
}

void progress_clear(struct progress *progress)
{
	if (progress->is_shown && progress->shown_ns > 0) {
		fputs("\r\033[K", stderr);
		progress->shown_ns = 0;
	}
}
