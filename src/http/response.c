#include "http/response.h"

#include "base/number.h"

static const struct {
	int status;
	const char *phrase;
} phrases[] = {
	{ 100, "Continue" },
	{ 200, "OK" },
	{ 201, "Created" },
	{ 202, "Accepted" },
	{ 204, "No Content" },
	{ 206, "Partial Content" },
	{ 301, "Moved Permanently" },
	{ 302, "Found" },
	{ 303, "See Other" },
	{ 304, "Not Modified" },
	{ 307, "Temporary Redirect" },
	{ 308, "Permanent Redirect" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 406, "Not Acceptable" },
	{ 408, "Request Timeout" },
	{ 409, "Conflict" },
	{ 410, "Gone" },
	{ 411, "Length Required" },
	{ 412, "Precondition Failed" },
	{ 413, "Request Entity Too Large" },
	{ 415, "Unsupported Media Type" },
	{ 417, "Expectation Failed" },
	{ 422, "Unprocessable Entity" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" },
	{ 505, "HTTP Version Not Supported" },
	{ 507, "Insufficient Storage" },
};

const char *http_status_phrase(int status)
{
	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++) {
		if (phrases[i].status == status) {
			return phrases[i].phrase;
		}
	}
	return "";
}

enum http_framing http_response_framing(const struct exchange *exchange)
{
	int status = exchange->response.status;
	if (status < 200 || status == 204 || status == 304) {
		return FRAMING_NONE;
	}
	if (exchange->response.stream == NULL) {
		return FRAMING_LENGTH;
	}
	return exchange->request.minor == 0 ? FRAMING_CLOSE : FRAMING_CHUNKS;
}

static void write_status_line(struct buf *out, const struct exchange *exchange)
{
	int status = exchange->response.status;
	buf_append(out, exchange->request.minor == 0 ? SLICE("HTTP/1.0 ") : SLICE("HTTP/1.1 "));
	if (status == 200) {
		buf_append(out, SLICE("200 OK\r\n"));
		return;
	}
	char digits[NUMBER_TEXT_MAX];
	buf_append(out, slice_make(digits, number_format_uint((uint64_t)status, digits)));
	buf_append_byte(out, ' ');
	buf_append_string(out, http_status_phrase(status));
	buf_append(out, SLICE("\r\n"));
}

static void write_framing(struct buf *out, const struct exchange *exchange)
{
	char digits[NUMBER_TEXT_MAX];
	switch (http_response_framing(exchange)) {
	case FRAMING_LENGTH:
		buf_append(out, SLICE("Content-Length: "));
		buf_append(
				out, slice_make(digits, number_format_uint(exchange->response.body.len, digits)));
		buf_append(out, SLICE("\r\n"));
		break;
	case FRAMING_CHUNKS:
		buf_append(out, SLICE("Transfer-Encoding: chunked\r\n"));
		break;
	case FRAMING_NONE:
	case FRAMING_CLOSE:
		break;
	}
}

void http_response_write_head(
		struct buf *out, struct http_date *date, const struct exchange *exchange, bool keeps)
{
	const struct http_response *response = &exchange->response;
	write_status_line(out, exchange);
	if (response->content_type.len != 0) {
		buf_append(out, SLICE("Content-Type: "));
		buf_append(out, response->content_type);
		buf_append(out, SLICE("\r\n"));
	}
	buf_append(out, buf_slice(&response->fields));
	buf_append(out, http_date_line(date));
	write_framing(out, exchange);
	if (!keeps) {
		buf_append(out, SLICE("Connection: close\r\n"));
	} else if (exchange->request.minor == 0) {
		buf_append(out, SLICE("Connection: keep-alive\r\n"));
	}
	buf_append(out, SLICE("\r\n"));
}
