#include "http/request.h"

#include <llhttp.h>

#include "http/chars.h"
#include "http/target.h"

enum { FIRST_HEADERS = 16 };

struct parser {
	llhttp_t llhttp;
	struct http_request *request;
	struct arena *arena;
	size_t capacity; /* of request->headers */
	bool failed;
};

static const struct {
	const char *name;
	enum http_method method;
} methods[] = {
	{ "DELETE", METHOD_DELETE },
	{ "GET", METHOD_GET },
	{ "HEAD", METHOD_HEAD },
	{ "OPTIONS", METHOD_OPTIONS },
	{ "PATCH", METHOD_PATCH },
	{ "POST", METHOD_POST },
	{ "PUT", METHOD_PUT },
};

static enum http_method method_by_name(struct slice name)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (slice_equal(name, slice_of_string(methods[i].name))) {
			return methods[i].method;
		}
	}
	return METHOD_OTHER;
}

/* HTTP/1.0 or HTTP/1.1, or else what is wrong with it. */
static enum http_refusal read_version(struct slice version, uint8_t *ret_minor)
{
	if (version.len != 8 || !slice_starts_with(version, SLICE("HTTP/")) || version.ptr[6] != '.') {
		return REFUSAL_SYNTAX;
	}
	char major = version.ptr[5];
	char minor = version.ptr[7];
	if (major < '0' || major > '9' || minor < '0' || minor > '9') {
		return REFUSAL_SYNTAX;
	}
	if (major != '1' || minor > '1') {
		return REFUSAL_VERSION;
	}
	*ret_minor = (uint8_t)(minor - '0');
	return REFUSAL_NONE;
}

/*
 * PUT /metrics/job/x HTTP/1.1
 *    ^              ^           exactly two blanks
 */
static enum http_refusal read_line(struct http_request *request, struct slice line)
{
	const char *first = slice_find_byte(line, ' ');
	if (first == NULL) {
		return REFUSAL_SYNTAX;
	}
	request->method_name = slice_between(line.ptr, first);
	request->method = method_by_name(request->method_name);

	struct slice rest = slice_between(first + 1, line.ptr + line.len);
	const char *second = slice_find_byte(rest, ' ');
	if (second == NULL || !http_is_token(request->method_name)) {
		return REFUSAL_SYNTAX;
	}
	request->target = slice_between(rest.ptr, second);
	if (request->target.len == 0 || slice_find_byte(request->target, '\t') != NULL) {
		return REFUSAL_SYNTAX;
	}
	return read_version(slice_between(second + 1, line.ptr + line.len), &request->minor);
}

static int on_field(llhttp_t *llhttp, const char *at, size_t len)
{
	struct parser *parser = llhttp->data;
	struct http_request *request = parser->request;
	if (request->header_count == parser->capacity) {
		size_t bytes = parser->capacity * sizeof(*request->headers);
		parser->capacity = parser->capacity == 0 ? FIRST_HEADERS : parser->capacity * 2;
		request->headers = arena_grow(parser->arena, request->headers, bytes,
				parser->capacity * sizeof(*request->headers));
	}
	struct http_header *header = &request->headers[request->header_count++];
	header->name = slice_make(at, len);
	header->value = slice_make("", 0);
	/* llhttp takes a blank in a name, and an empty one. */
	return http_is_token(header->name) ? 0 : -1;
}

static int on_value(llhttp_t *llhttp, const char *at, size_t len)
{
	struct parser *parser = llhttp->data;
	struct http_request *request = parser->request;
	struct http_header *header = &request->headers[request->header_count - 1];
	/* A value comes in one piece: the head is whole, and no line is folded. */
	if (header->value.len != 0) {
		return -1;
	}
	header->value = slice_trim(slice_make(at, len));
	return 0;
}

static int on_headers_complete(llhttp_t *llhttp)
{
	return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
	.on_header_field = on_field,
	.on_header_value = on_value,
	.on_headers_complete = on_headers_complete,
};

/* All of the header lines with the empty one; true when they are good. */
static bool read_headers(struct parser *parser, struct slice lines)
{
	llhttp_t *llhttp = &parser->llhttp;
	llhttp_init(llhttp, HTTP_REQUEST, &settings);
	llhttp->data = parser;
	/* Any request line of this version will do: what it said is known already. */
	struct slice line =
			parser->request->minor == 0 ? SLICE("GET / HTTP/1.0\r\n") : SLICE("GET / HTTP/1.1\r\n");
	return llhttp_execute(llhttp, line.ptr, line.len) == HPE_OK
			&& llhttp_execute(llhttp, lines.ptr, lines.len) == HPE_PAUSED
			&& llhttp_get_error_pos(llhttp) == lines.ptr + lines.len;
}

/* Headers that say how the request is to be read, and how often each came. */
struct seen {
	size_t hosts;
	size_t lengths;
	size_t codings;
	struct slice length;
	struct slice coding;
	struct slice expect;
};

static struct seen look_for_headers(const struct http_request *request)
{
	struct seen seen = { 0 };
	for (size_t i = 0; i < request->header_count; i++) {
		const struct http_header *header = &request->headers[i];
		if (slice_equal_nocase(header->name, SLICE("Host"))) {
			seen.hosts++;
		} else if (slice_equal_nocase(header->name, SLICE("Content-Length"))) {
			seen.lengths++;
			seen.length = header->value;
		} else if (slice_equal_nocase(header->name, SLICE("Transfer-Encoding"))) {
			seen.codings++;
			seen.coding = header->value;
		} else if (slice_equal_nocase(header->name, SLICE("Expect"))) {
			seen.expect = header->value;
		}
	}
	return seen;
}

/* Digits and nothing else: not "+4", not "4, 4", not more than fits. */
static bool read_length(struct slice text, uint64_t *ret_length)
{
	uint64_t length = 0;
	for (size_t i = 0; i < text.len; i++) {
		unsigned digit = (unsigned)(text.ptr[i] - '0');
		if (digit > 9 || length > UINT64_MAX / 10 - 1) {
			return false;
		}
		length = length * 10 + digit;
	}
	*ret_length = length;
	return text.len != 0;
}

/* How often the comma-separated list names chunked. */
static size_t count_chunked(struct slice list)
{
	size_t count = 0;
	while (list.len != 0) {
		const char *comma = slice_find_byte(list, ',');
		struct slice item = comma == NULL ? list : slice_between(list.ptr, comma);
		count += slice_equal_nocase(slice_trim(item), SLICE("chunked"));
		list = slice_skip(list, comma == NULL ? list.len : item.len + 1);
	}
	return count;
}

static enum http_refusal read_framing(
		const struct http_request *request, const struct seen *seen, struct http_head *head)
{
	if (seen->codings > 1 || seen->lengths > 1 || seen->codings + seen->lengths > 1) {
		return REFUSAL_SYNTAX;
	}
	if (seen->lengths == 1) {
		return read_length(seen->length, &head->length) ? REFUSAL_NONE : REFUSAL_SYNTAX;
	}
	if (seen->codings == 0) {
		return REFUSAL_NONE;
	}
	if (request->minor == 0) {
		return REFUSAL_SYNTAX;
	}
	head->chunked = slice_equal_nocase(seen->coding, SLICE("chunked"));
	if (head->chunked) {
		return REFUSAL_NONE;
	}
	/* gzip is honest but not supported; "chunked, chunked" wants to confuse. */
	return count_chunked(seen->coding) > 1 ? REFUSAL_SYNTAX : REFUSAL_TRANSFER_ENCODING;
}

static enum http_refusal check_host_and_expect(
		const struct http_request *request, const struct seen *seen, struct http_head *head)
{
	if (seen->hosts > 1) {
		return REFUSAL_TWO_HOSTS;
	}
	if (request->minor == 0) {
		return REFUSAL_NONE;
	}
	if (seen->hosts == 0) {
		return REFUSAL_NO_HOST;
	}
	head->wants_continue = slice_equal_nocase(seen->expect, SLICE("100-continue"));
	return seen->expect.len == 0 || head->wants_continue ? REFUSAL_NONE : REFUSAL_EXPECTATION;
}

enum http_refusal http_request_parse(struct http_request *request, struct arena *arena,
		struct slice text, struct http_head *ret_head)
{
	struct http_head head = { 0 };
	request->minor = 1;

	const char *line_end = slice_find_byte(text, '\r');
	struct slice line = slice_between(text.ptr, line_end);
	enum http_refusal refusal = read_line(request, line);
	if (refusal != REFUSAL_NONE) {
		return refusal;
	}
	struct parser parser = { .request = request, .arena = arena };
	if (!read_headers(&parser, slice_skip(text, line.len + 2))) {
		return REFUSAL_SYNTAX;
	}
	struct seen seen = look_for_headers(request);
	refusal = read_framing(request, &seen, &head);
	if (refusal != REFUSAL_NONE) {
		return refusal;
	}
	if (!http_target_split(request, arena)) {
		return REFUSAL_SYNTAX;
	}
	head.keep_alive = llhttp_should_keep_alive(&parser.llhttp);
	refusal = check_host_and_expect(request, &seen, &head);
	*ret_head = head;
	return refusal;
}
