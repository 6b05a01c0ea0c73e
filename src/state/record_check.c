#include "state/record_check.h"

#include "base/number.h"
#include "base/utf8.h"

bool record_text_is_escaped(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		if (c == '"' || c == '\n') {
			return false;
		}
		if (c == '\\') {
			i++;
			if (i == text.len || strchr("\\\"n", text.ptr[i]) == NULL || text.ptr[i] == '\0') {
				return false;
			}
		}
	}
	return true;
}

bool record_text_is_name(struct slice text)
{
	return text.len > 0 && record_text_is_escaped(text) && utf8_is_valid(text);
}

bool record_text_is_help(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '\n') {
			return false;
		}
		if (text.ptr[i] == '\\') {
			i++;
			if (i == text.len || (text.ptr[i] != '\\' && text.ptr[i] != 'n')) {
				return false;
			}
		}
	}
	return utf8_is_valid(text);
}

bool record_text_is_real(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (strchr("0123456789+-.eE", text.ptr[i]) == NULL || text.ptr[i] == '\0') {
			return false;
		}
	}
	return number_is_float(text);
}

/* ---- Exemplars ---- */

/* What is left of the text behind a part that ends with the byte; ptr NULL: none does. */
static struct slice behind(struct slice text, const char *end)
{
	return slice_between(end, text.ptr + text.len);
}

/* The quote that ends what began before the text, or NULL. */
static const char *find_quote(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '"') {
			return text.ptr + i;
		}
		i += text.ptr[i] == '\\';
	}
	return NULL;
}

/* name= or "name"= */
static bool read_name(struct slice *text)
{
	bool is_quoted = text->len > 0 && text->ptr[0] == '"';
	struct slice rest = slice_skip(*text, is_quoted);
	const char *end = is_quoted ? find_quote(rest) : slice_find_byte(rest, '=');
	if (end == NULL) {
		return false;
	}
	struct slice name = slice_between(rest.ptr, end);
	if (!(is_quoted ? record_text_is_name(name) : labels_is_name(name))) {
		return false;
	}
	*text = behind(rest, end + is_quoted);
	return slice_starts_with(*text, SLICE("="));
}

/* name="value" */
static bool read_label(struct slice *text)
{
	if (!read_name(text) || !slice_starts_with(*text, SLICE("=\""))) {
		return false;
	}
	struct slice rest = slice_skip(*text, 2);
	const char *end = find_quote(rest);
	if (end == NULL || !record_text_is_escaped(slice_between(rest.ptr, end))) {
		return false;
	}
	*text = behind(rest, end + 1);
	return true;
}

/* {name="value",...} */
static bool read_labels(struct slice *text)
{
	if (!slice_starts_with(*text, SLICE("{"))) {
		return false;
	}
	*text = slice_skip(*text, 1);
	while (!slice_starts_with(*text, SLICE("}"))) {
		if (!read_label(text)) {
			return false;
		}
		if (slice_starts_with(*text, SLICE(","))) {
			*text = slice_skip(*text, 1);
		} else if (!slice_starts_with(*text, SLICE("}"))) {
			return false;
		}
	}
	*text = slice_skip(*text, 1);
	return true;
}

bool record_text_is_exemplar(struct slice text)
{
	struct slice rest = text;
	if (slice_find_byte(text, '\0') != NULL || !utf8_is_valid(text) || !read_labels(&rest)
			|| !slice_starts_with(rest, SLICE(" "))) {
		return false;
	}
	rest = slice_skip(rest, 1);
	const char *blank = slice_find_byte(rest, ' ');
	struct slice value = blank == NULL ? rest : slice_between(rest.ptr, blank);
	return number_is_float(value)
			&& (blank == NULL || record_text_is_real(behind(rest, blank + 1)));
}

/* ---- Samples ---- */

bool record_role_fits(enum metric_type type, enum sample_role role)
{
	enum {
		PLAIN = 1 << SAMPLE_PLAIN,
		SUMMARY = 1 << SAMPLE_QUANTILE | 1 << SAMPLE_SUM | 1 << SAMPLE_COUNT,
		HISTOGRAM = 1 << SAMPLE_BUCKET | 1 << SAMPLE_SUM | 1 << SAMPLE_COUNT,
		OPEN_HISTOGRAM = 1 << SAMPLE_BUCKET | 1 << SAMPLE_GSUM | 1 << SAMPLE_GCOUNT,
	};
	static const unsigned roles[METRIC_TYPE_COUNT] = {
		[METRIC_UNTYPED] = PLAIN,
		[METRIC_COUNTER] = PLAIN,
		[METRIC_GAUGE] = PLAIN,
		[METRIC_SUMMARY] = SUMMARY,
		[METRIC_HISTOGRAM] = HISTOGRAM,
		[METRIC_GAUGE_HISTOGRAM] = HISTOGRAM,
		[METRIC_OPEN_GAUGE_HISTOGRAM] = OPEN_HISTOGRAM,
		[METRIC_INFO] = PLAIN,
		[METRIC_STATESET] = PLAIN,
	};
	return (roles[type] >> role & 1) != 0;
}

/* The label at the index, or the next one if that is the bound. */
static size_t skip_bound(const struct labels *labels, struct slice bound, size_t index)
{
	bool is_bound = index < labels->count && slice_equal(labels->pairs[index].name, bound);
	return is_bound ? index + 1 : index;
}

static bool same_metric(const struct labels *a, const struct labels *b, struct slice bound)
{
	size_t i = skip_bound(a, bound, 0);
	size_t j = skip_bound(b, bound, 0);
	while (i < a->count && j < b->count) {
		if (!slice_equal(a->pairs[i].name, b->pairs[j].name)
				|| !slice_equal(a->pairs[i].value, b->pairs[j].value)) {
			return false;
		}
		i = skip_bound(a, bound, i + 1);
		j = skip_bound(b, bound, j + 1);
	}
	return i == a->count && j == b->count;
}

bool record_ends_metric(
		enum metric_type type, const struct sample *sample, const struct sample *next)
{
	if (type == METRIC_COUNTER) {
		return true;
	}
	return metric_type_has_bounds(type)
			&& (next == NULL
					|| !same_metric(&sample->labels, &next->labels, metric_type_bound_name(type)));
}
