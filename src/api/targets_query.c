#include "api/targets_query.h"

#include "api/answer.h"
#include "base/number.h"
#include "base/quote.h"

struct reader {
	struct targets_query *query;
	bool has_pages;
	struct arena *arena;
	struct slice *reterr_text;
};

/* invalid parameter "name": what is wrong with it */
static bool refuse(struct reader *reader, struct slice name, struct slice what)
{
	struct buf text;
	buf_init(&text, 0);
	buf_append(&text, SLICE("invalid parameter "));
	quote_append(&text, slice_first(name, 64));
	buf_append(&text, SLICE(": "));
	buf_append(&text, what);
	*reader->reterr_text = arena_copy(reader->arena, buf_slice(&text));
	buf_finish(&text);
	return false;
}

static bool read_selector(struct reader *reader, struct slice name, struct slice value)
{
	struct selector_error error;
	return selectors_add(&reader->query->filter.selectors, value, reader->arena, &error)
			|| refuse(reader, name,
					arena_printf(reader->arena, "1:%zu: parse error: " SLICE_FMT,
							error.position + 1, SLICE_ARG(error.what)));
}

static bool read_state(struct reader *reader, struct slice name, struct slice value)
{
	enum target_state state;
	if (!target_state_find(value, &state)) {
		return refuse(reader, name, SLICE("it has to be active, silent, expired or disabled"));
	}
	reader->query->filter.states |= 1u << state;
	return true;
}

static bool read_mode(struct reader *reader, struct slice name, struct slice value)
{
	enum target_mode mode;
	if (!target_mode_find(value, &mode)) {
		return refuse(reader, name,
				SLICE("it has to be push, pull, static, virtual, dns, image, collector or "
					  "service"));
	}
	reader->query->filter.modes |= 1u << mode;
	return true;
}

static bool read_job(struct reader *reader, struct slice name, struct slice value)
{
	reader->query->filter.job = labels_escape(reader->arena, value);
	return true;
}

static bool read_class(struct reader *reader, struct slice name, struct slice value)
{
	reader->query->filter.class = labels_escape(reader->arena, value);
	return true;
}

static bool read_number(struct reader *reader, struct slice name, struct slice value, int64_t max,
		size_t *ret_number)
{
	int64_t number;
	if (!reader->has_pages) {
		return refuse(reader, name, SLICE("there are no pages here"));
	}
	if (!number_parse_int(value, &number) || number < 0 || number > max) {
		return refuse(reader, name,
				arena_printf(
						reader->arena, "it has to be a number from 0 to %lld", (long long)max));
	}
	*ret_number = (size_t)number;
	return true;
}

static bool read_limit(struct reader *reader, struct slice name, struct slice value)
{
	return read_number(reader, name, value, TARGETS_LIMIT_MAX, &reader->query->limit);
}

static bool read_offset(struct reader *reader, struct slice name, struct slice value)
{
	return read_number(reader, name, value, INT32_MAX, &reader->query->offset);
}

bool targets_query_read_order(struct slice text, struct targets_order *ret_order)
{
	bool is_descending = slice_starts_with(text, SLICE("-"));
	*ret_order = (struct targets_order){
		.name = slice_skip(text, is_descending),
		.is_descending = is_descending,
	};
	return labels_is_name(ret_order->name);
}

static bool read_sort(struct reader *reader, struct slice name, struct slice value)
{
	struct targets_order *order = &reader->query->order;
	if (!reader->has_pages) {
		return refuse(reader, name, SLICE("there is no order here"));
	}
	if (order->name.ptr != NULL) {
		return refuse(reader, name, SLICE("it is there twice"));
	}
	return targets_query_read_order(value, order)
			|| refuse(reader, name,
					SLICE("it has to be the name of an attribute or a label, such as priority, or "
						  "-priority for the largest first"));
}

static bool read_resources(struct reader *reader, struct slice name, struct slice value)
{
	reader->query->with_resources = slice_equal(value, SLICE("true"));
	if (!reader->has_pages) {
		return refuse(reader, name, SLICE("there are no resources here"));
	}
	return reader->query->with_resources || slice_equal(value, SLICE("false"))
			|| refuse(reader, name, SLICE("it has to be true or false"));
}

static const struct {
	struct slice name;
	bool (*read)(struct reader *reader, struct slice name, struct slice value);
} parameters[] = {
	{ SLICE_INIT("class"), read_class },
	{ SLICE_INIT("job"), read_job },
	{ SLICE_INIT("limit"), read_limit },
	{ SLICE_INIT("match[]"), read_selector },
	{ SLICE_INIT("mode"), read_mode },
	{ SLICE_INIT("offset"), read_offset },
	{ SLICE_INIT("resources"), read_resources },
	{ SLICE_INIT("sort"), read_sort },
	{ SLICE_INIT("state"), read_state },
};

static bool read_pair(struct reader *reader, struct slice pair)
{
	const char *equals = slice_find_byte(pair, '=');
	struct slice raw_name = equals == NULL ? pair : slice_between(pair.ptr, equals);
	struct slice raw_value = slice_skip(pair, raw_name.len + (equals != NULL));
	struct slice name;
	struct slice value;
	if (!answer_decode_query(raw_name, reader->arena, &name)
			|| !answer_decode_query(raw_value, reader->arena, &value)) {
		return refuse(reader, raw_name, SLICE("invalid URL escape"));
	}
	for (size_t i = 0; i < sizeof(parameters) / sizeof(parameters[0]); i++) {
		if (slice_equal(parameters[i].name, name)) {
			return parameters[i].read(reader, name, value);
		}
	}
	return refuse(reader, name, SLICE("there is no such parameter"));
}

bool targets_query_read(struct targets_query *query, const struct exchange *exchange,
		bool has_pages, struct arena *arena, struct slice *reterr_text)
{
	struct reader reader = {
		.query = query,
		.has_pages = has_pages,
		.arena = arena,
		.reterr_text = reterr_text,
	};
	struct slice rest = exchange->request.query;
	*query = (struct targets_query){ .limit = has_pages ? TARGETS_LIMIT_USUAL : SIZE_MAX };
	while (rest.len > 0) {
		const char *and = slice_find_byte(rest, '&');
		struct slice pair = and == NULL ? rest : slice_between(rest.ptr, and);
		rest = slice_skip(rest, pair.len + (and != NULL));
		if (pair.len > 0 && !read_pair(&reader, pair)) {
			return false;
		}
	}
	return true;
}
