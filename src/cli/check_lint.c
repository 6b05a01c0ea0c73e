#include "cli/check_lint.h"

#include "base/number.h"

/* ---- Findings ---- */

enum { SERIES_SHOWN_MAX = 160 }; /* bytes of a series in a message */

static void add(struct lint *lint, bool is_warning, const struct sample *sample, const char *place,
		struct slice what, const char *hint)
{
	struct check_finding finding = {
		.is_warning = is_warning,
		.line = sample == NULL ? 0 : sample->line,
		.place = place,
		.what = what,
	};
	if (hint != NULL) {
		finding.hint = slice_of_string(hint);
	}
	check_report_add(lint->report, &finding);
	arena_reset(&lint->scratch); /* there may be a million of them */
}

void lint_fault(struct lint *lint, const struct sample *sample, const char *place,
		struct slice what, const char *hint)
{
	add(lint, lint->is_openmetrics, sample, place, what, hint);
}

void lint_warn(struct lint *lint, const struct sample *sample, const char *place, struct slice what,
		const char *hint)
{
	add(lint, true, sample, place, what, hint);
}

struct slice lint_name(struct lint *lint, struct slice name)
{
	struct slice shown = slice_first(name, SERIES_SHOWN_MAX);
	return labels_is_metric_name(name)
			? shown
			: arena_printf(&lint->scratch, "\"" SLICE_FMT "\"", SLICE_ARG(shown));
}

struct slice lint_series(
		struct lint *lint, const struct batch_family *family, const struct sample *sample)
{
	struct buf text;
	bool is_quoted = !labels_is_metric_name(family->name);
	const char *separator = is_quoted ? "," : "{";
	buf_init(&text, 0);
	buf_append_string(&text, is_quoted ? "{\"" : "");
	buf_append(&text, slice_first(family->name, SERIES_SHOWN_MAX));
	buf_append(&text, sample_suffix(sample->role));
	buf_append_string(&text, is_quoted ? "\"" : "");
	for (size_t i = 0; i < sample->labels.count && text.len < SERIES_SHOWN_MAX; i++) {
		const struct label *label = &sample->labels.pairs[i];
		const char *quote = labels_is_name(label->name) ? "" : "\"";
		struct slice name = slice_first(label->name, SERIES_SHOWN_MAX);
		struct slice value = slice_first(label->value, SERIES_SHOWN_MAX);
		buf_printf(&text, "%s%s" SLICE_FMT "%s=\"" SLICE_FMT "\"", separator, quote,
				SLICE_ARG(name), quote, SLICE_ARG(value));
		separator = ",";
	}
	bool is_cut = text.len >= SERIES_SHOWN_MAX;
	bool is_open = is_quoted || sample->labels.count > 0;
	buf_append_string(&text, is_cut ? "..." : is_open ? "}" : "");
	struct slice copy = arena_copy(&lint->scratch, buf_slice(&text));
	buf_finish(&text);
	return copy;
}

/* The first of the family's samples that stands in the page. */
static const struct sample *first_sample(const struct batch_family *family)
{
	for (size_t i = 0; i < family->sample_count; i++) {
		if (family->samples[i].line > 0) {
			return &family->samples[i];
		}
	}
	return NULL;
}

/* ---- One sample ---- */

static void lint_labels(
		struct lint *lint, const struct batch_family *family, const struct sample *sample)
{
	for (size_t i = 0; i < sample->labels.count; i++) {
		struct slice name = sample->labels.pairs[i].name;
		if (slice_starts_with(name, SLICE("__"))) {
			struct slice what = arena_printf(&lint->scratch,
					SLICE_FMT " has a label with the reserved name " SLICE_FMT,
					SLICE_ARG(lint_series(lint, family, sample)), SLICE_ARG(lint_name(lint, name)));
			lint_fault(lint, sample, name.ptr, what,
					"names that begin with two underscores are Prometheus' own");
		}
	}
}

/* What the decoder let pass, to be refused when it is checked against what is stored. */
static void lint_problem(
		struct lint *lint, const struct batch_family *family, const struct sample *sample)
{
	struct slice what = arena_printf(&lint->scratch, SLICE_FMT " " SLICE_FMT,
			SLICE_ARG(lint_series(lint, family, sample)), SLICE_ARG(sample->extra->problem));
	lint_fault(lint, sample, NULL, what, NULL);
}

static void lint_value(
		struct lint *lint, const struct batch_family *family, const struct sample *sample)
{
	if (family->type == METRIC_COUNTER && !(number_value(sample->value) >= 0)) {
		struct slice what = arena_printf(&lint->scratch, "counter " SLICE_FMT " is " SLICE_FMT,
				SLICE_ARG(lint_series(lint, family, sample)), SLICE_ARG(sample->value));
		lint_warn(lint, sample, sample->value.ptr, what,
				"a counter starts from 0; what may be less is a gauge");
	}
	if (sample->role == SAMPLE_QUANTILE) {
		struct slice quantile = labels_find(&sample->labels, SLICE("quantile"));
		double value = number_value(quantile);
		if (!(value >= 0 && value <= 1)) {
			struct slice what = arena_printf(&lint->scratch,
					SLICE_FMT " has a quantile that is not from 0 to 1",
					SLICE_ARG(lint_series(lint, family, sample)));
			lint_warn(lint, sample, quantile.ptr, what, "the median is quantile=\"0.5\"");
		}
	}
}

static void lint_sample(
		struct lint *lint, const struct batch_family *family, const struct sample *sample)
{
	if (sample->extra != NULL && sample->extra->problem.ptr != NULL) {
		lint_problem(lint, family, sample);
	} else {
		lint_labels(lint, family, sample);
		lint_value(lint, family, sample);
	}
}

/* ---- One family ---- */

static void lint_metadata(struct lint *lint, const struct batch_family *family)
{
	bool has_help = family->help.ptr != NULL;
	bool has_type = family->type != METRIC_UNTYPED;
	if (!has_help || !has_type) {
		const char *lacks = has_help ? "type" : has_type ? "HELP text" : "HELP text and no type";
		struct slice what = arena_printf(&lint->scratch, SLICE_FMT " has no %s",
				SLICE_ARG(lint_name(lint, family->name)), lacks);
		lint_warn(lint, first_sample(family), NULL, what, NULL);
	}
}

static void lint_counter_name(struct lint *lint, const struct batch_family *family)
{
	if (family->type == METRIC_COUNTER && !slice_ends_with(family->name, SLICE("_total"))) {
		struct slice what =
				arena_printf(&lint->scratch, "counter " SLICE_FMT " does not end in _total",
						SLICE_ARG(lint_name(lint, family->name)));
		lint_warn(lint, first_sample(family), NULL, what, "OpenMetrics shows it as unknown");
	}
}

static void lint_family(struct lint *lint, const struct batch_family *family)
{
	for (size_t i = 0; i < family->sample_count; i++) {
		lint_sample(lint, family, &family->samples[i]);
	}
	if (!lint->has_points) {
		lint_repeated(lint, family);
	}
	if (!lint->has_points && metric_type_is_histogram(family->type)) {
		lint_buckets(lint, family);
	}
	if (lint->is_whole) {
		lint_metadata(lint, family);
	}
	lint_counter_name(lint, family);
}

/* ---- The page ---- */

/* What the decoder found; that samples are equal was told with their lines. */
static void lint_batch_fault(struct lint *lint)
{
	const struct batch_fault *fault = &lint->page->batch.fault;
	if (fault->text.ptr == NULL || lint->has_equal_samples) {
		return;
	}
	struct slice what = fault->text;
	if (fault->line.len > 0) {
		what = arena_printf(&lint->scratch, SLICE_FMT ": " SLICE_FMT, SLICE_ARG(fault->text),
				SLICE_ARG(fault->line));
	}
	lint_fault(lint, NULL, NULL, what, NULL);
}

void check_lint(const struct check_page *page, struct check_report *report)
{
	struct lint lint = {
		.page = page,
		.report = report,
		.is_text = page->format == FORMAT_TEXT,
		.is_openmetrics = page->format == FORMAT_OPENMETRICS,
		.has_points = page->format == FORMAT_OPENMETRICS && page->batch.has_timestamps,
		.is_whole = check_page_is_whole(page),
	};
	arena_init(&lint.scratch);
	for (const struct batch_family *f = page->batch.families; f != NULL; f = f->next) {
		lint_family(&lint, f);
		arena_reset(&lint.scratch);
	}
	lint_names(&lint);
	if (lint.is_whole) {
		lint_order(&lint);
	}
	lint_batch_fault(&lint);
	if (page->batch.has_timestamps) {
		lint_warn(&lint, NULL, NULL, SLICE("samples have timestamps"),
				"a push with timestamps is refused");
	}
	arena_finish(&lint.scratch);
}
