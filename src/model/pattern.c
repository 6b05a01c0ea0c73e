#include "model/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum {
	HEAP_KIBIBYTES_MAX = 4 * 1024,
	PARENTHESES_MAX = 100,
	MESSAGE_BYTES = 128,
};

/* The library has its own name for it. */
static const pcre2_code *code_of(const struct pattern *pattern)
{
	return (const pcre2_code *)(const void *)pattern;
}

static void *allocate(PCRE2_SIZE bytes, void *data)
{
	return arena_alloc(data, bytes);
}

/* The arena has it all. */
static void let_go(void *memory, void *data)
{
}

static pcre2_compile_context *make_compile_context(struct arena *arena)
{
	pcre2_general_context *memory = pcre2_general_context_create(allocate, let_go, arena);
	pcre2_compile_context *context = pcre2_compile_context_create(memory);
	pcre2_set_parens_nest_limit(context, PARENTHESES_MAX);
	return context;
}

const struct pattern *pattern_compile(
		struct slice text, struct arena *arena, struct slice *reterr_what, size_t *reterr_offset)
{
	const uint32_t options = PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_DOTALL
			| PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C | PCRE2_NEVER_UCP | PCRE2_UTF
			| PCRE2_MATCH_INVALID_UTF;
	int error;
	PCRE2_SIZE offset;
	if (text.len > PATTERN_BYTES_MAX) {
		*reterr_offset = PATTERN_BYTES_MAX;
		*reterr_what = arena_printf(arena, "longer than %d bytes", PATTERN_BYTES_MAX);
		return NULL;
	}
	pcre2_code *code = pcre2_compile(
			(PCRE2_SPTR)text.ptr, text.len, options, &error, &offset, make_compile_context(arena));
	if (code == NULL) {
		char *message = arena_text(arena, MESSAGE_BYTES);
		pcre2_get_error_message(error, (PCRE2_UCHAR *)message, MESSAGE_BYTES);
		*reterr_what = slice_of_string(message);
		*reterr_offset = offset;
	}
	return (const struct pattern *)(const void *)code;
}

void pattern_scratch_init(struct pattern_scratch *scratch, struct arena *arena)
{
	*scratch = (struct pattern_scratch){ .arena = arena };
}

static void make_matching(struct pattern_scratch *scratch)
{
	pcre2_general_context *memory = pcre2_general_context_create(allocate, let_go, scratch->arena);
	pcre2_match_context *limits = pcre2_match_context_create(memory);
	pcre2_set_match_limit(limits, PATTERN_STEPS_MAX);
	pcre2_set_heap_limit(limits, HEAP_KIBIBYTES_MAX);
	scratch->limits = limits;
	scratch->matching = pcre2_match_data_create(1, memory);
}

bool pattern_matches(
		const struct pattern *pattern, struct slice text, struct pattern_scratch *scratch)
{
	if (scratch->failed != NULL) {
		return false;
	}
	if (scratch->matching == NULL) {
		make_matching(scratch);
	}
	const char *start = text.len == 0 ? "" : text.ptr;
	int result = pcre2_match(code_of(pattern), (PCRE2_SPTR)start, text.len, 0, 0, scratch->matching,
			scratch->limits);
	if (result < 0 && result != PCRE2_ERROR_NOMATCH) {
		scratch->failed = pattern;
	}
	return result >= 0;
}
