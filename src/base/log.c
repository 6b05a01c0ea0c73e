#include "base/log.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/slice.h"
#include "base/utf8.h"

static enum log_level shown_level = LOG_LEVEL_INFO;
static enum log_format line_format = LOG_FORMAT_LOGFMT;
static int line_fd = STDERR_FILENO;

/* Kept free for what closes a line: "…", a quote, a brace, the newline. */
enum { CLOSING_BYTES = 8 };

/* Room for any value the line could show. */
enum { VALUE_BYTES = LOG_LINE_BYTES };

struct line {
	char bytes[LOG_LINE_BYTES];
	size_t len;
	bool full; /* something did not fit; nothing follows */
};

/* A value after printing, before escaping. */
struct value {
	char bytes[VALUE_BYTES];
	size_t len;
	bool is_number;
};

/* One conversion such as %.*s or %zu. */
struct conversion {
	char type;
	char size; /* 0, 'l', 'L' for ll, 'z' or 'j' */
	bool has_precision;
	int precision;
};

/* A va_list that can be handed to functions that take from it. */
struct arguments {
	va_list list;
};

static bool fits(const struct line *line, struct slice text)
{
	return text.len <= LOG_LINE_BYTES - CLOSING_BYTES - line->len;
}

static void put(struct line *line, struct slice text)
{
	if (line->full || !fits(line, text)) {
		line->full = true;
		return;
	}
	memcpy(line->bytes + line->len, text.ptr, text.len);
	line->len += text.len;
}

/* Into the room kept free. */
static void put_closing(struct line *line, struct slice text)
{
	memcpy(line->bytes + line->len, text.ptr, text.len);
	line->len += text.len;
}

static void put_escaped_byte(struct line *line, unsigned char byte)
{
	static const char plain[] = "\"\\\n\r\t";
	static const char letters[] = "\"\\nrt";
	const char *found = byte == '\0' ? NULL : strchr(plain, byte);
	char escape[8];
	int len = found != NULL ? snprintf(escape, sizeof(escape), "\\%c", letters[found - plain])
							: snprintf(escape, sizeof(escape), "\\u%04x", (unsigned)byte);
	put(line, slice_make(escape, (size_t)len));
}

/* In quotes, for both formats; what is no UTF-8 becomes U+FFFD. */
static void put_quoted(struct line *line, struct slice text)
{
	put(line, SLICE("\""));
	bool opened = !line->full;
	while (text.len > 0 && !line->full) {
		unsigned char byte = (unsigned char)text.ptr[0];
		size_t bytes = utf8_sequence(text);
		if (bytes == 0) {
			put(line, SLICE("\\ufffd"));
			bytes = 1;
		} else if (byte < ' ' || byte == 0x7f || byte == '"' || byte == '\\') {
			put_escaped_byte(line, byte);
		} else {
			put(line, slice_first(text, bytes));
		}
		text = slice_skip(text, bytes);
	}
	if (opened) {
		put_closing(line, line->full ? SLICE("\xe2\x80\xa6\"") : SLICE("\""));
	}
}

/* Can it stand in logfmt as it is? */
static bool is_plain(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char byte = (unsigned char)text.ptr[i];
		if (byte <= ' ' || byte >= 0x7f || byte == '"' || byte == '=' || byte == '\\') {
			return false;
		}
	}
	return text.len > 0;
}

/* Drops the whole pair when not even a part of its value fits. */
static void put_pair(struct line *line, struct slice key, struct slice value, bool is_number)
{
	size_t start = line->len;
	if (line_format == LOG_FORMAT_JSON) {
		put(line, start == 0 ? SLICE("{\"") : SLICE(",\""));
		put(line, key);
		put(line, SLICE("\":"));
	} else {
		put(line, start == 0 ? SLICE("") : SLICE(" "));
		put(line, key);
		put(line, SLICE("="));
	}
	size_t before_value = line->len;
	bool stands_plain = is_number || (line_format == LOG_FORMAT_LOGFMT && is_plain(value));
	if (stands_plain && fits(line, value)) {
		put(line, value);
	} else {
		put_quoted(line, value);
	}
	if (line->len == before_value) {
		line->len = start;
	}
}

static void put_time(struct line *line)
{
	int64_t now_ns = clock_wall_ns();
	time_t seconds = (time_t)(now_ns / 1000000000);
	struct tm utc;
	gmtime_r(&seconds, &utc);
	char text[64];
	size_t len = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
	len += (size_t)snprintf(
			text + len, sizeof(text) - len, ".%03dZ", (int)(now_ns / 1000000 % 1000));
	put_pair(line, SLICE("time"), slice_make(text, len), false);
}

static void add(struct value *value, const char *text, size_t len)
{
	size_t room = VALUE_BYTES - value->len;
	len = len < room ? len : room;
	memcpy(value->bytes + value->len, text, len);
	value->len += len;
}

/* Reads the conversion behind a '%'; returns what follows it. */
static const char *read_conversion(
		const char *format, struct arguments *arguments, struct conversion *ret)
{
	struct conversion conversion = { 0 };
	if (*format == '.') {
		conversion.has_precision = true;
		format++;
		if (*format == '*') {
			conversion.precision = va_arg(arguments->list, int);
			format++;
		}
		while (isdigit((unsigned char)*format)) {
			conversion.precision = conversion.precision * 10 + (*format++ - '0');
		}
	}
	if (format[0] == 'l' && format[1] == 'l') {
		conversion.size = 'L';
		format += 2;
	} else if (*format == 'l' || *format == 'z' || *format == 'j') {
		conversion.size = *format++;
	}
	conversion.type = *format;
	*ret = conversion;
	return format + 1;
}

static int64_t take_signed(struct arguments *arguments, char size)
{
	switch (size) {
	case 'l':
		return va_arg(arguments->list, long);
	case 'L':
		return va_arg(arguments->list, long long);
	case 'z':
		return va_arg(arguments->list, ssize_t);
	case 'j':
		return va_arg(arguments->list, intmax_t);
	default:
		return va_arg(arguments->list, int);
	}
}

static uint64_t take_unsigned(struct arguments *arguments, char size)
{
	return size == 0 ? va_arg(arguments->list, unsigned) : (uint64_t)take_signed(arguments, size);
}

static void add_string(struct value *value, struct conversion c, const char *string)
{
	if (string == NULL) {
		string = "";
	}
	size_t limit = c.has_precision && c.precision >= 0 ? (size_t)c.precision : VALUE_BYTES;
	add(value, string, strnlen(string, limit));
}

static void add_double(struct value *value, struct conversion c, double number)
{
	char text[400];
	int precision = c.has_precision ? c.precision : 6;
	int len = c.type == 'g' ? snprintf(text, sizeof(text), "%.*g", precision, number)
							: snprintf(text, sizeof(text), "%.*f", precision, number);
	add(value, text, (size_t)len < sizeof(text) ? (size_t)len : sizeof(text) - 1);
}

static void add_converted(struct value *value, struct conversion c, struct arguments *arguments)
{
	char text[32];
	int len = 0;
	switch (c.type) {
	case 's': {
		const char *string = va_arg(arguments->list, const char *);
		add_string(value, c, string);
		break;
	}
	case 'c':
		text[0] = (char)va_arg(arguments->list, int);
		len = 1;
		break;
	case 'd':
	case 'i':
		len = snprintf(text, sizeof(text), "%" PRId64, take_signed(arguments, c.size));
		break;
	case 'u':
		len = snprintf(text, sizeof(text), "%" PRIu64, take_unsigned(arguments, c.size));
		break;
	case 'x':
		len = snprintf(text, sizeof(text), "%" PRIx64, take_unsigned(arguments, c.size));
		break;
	case 'f':
	case 'g':
		add_double(value, c, va_arg(arguments->list, double));
		break;
	default:
		assert(!"a conversion that the log does not know");
	}
	add(value, text, (size_t)len);
}

/* Prints the part of a format between two places. */
static void print(
		struct value *value, const char *format, const char *end, struct arguments *arguments)
{
	const char *start = format;
	value->len = 0;
	value->is_number = false;
	while (format < end) {
		if (format[0] != '%' || format[1] == '%') {
			format += format[0] == '%';
			add(value, format++, 1);
			continue;
		}
		bool is_first = format == start;
		struct conversion c;
		format = read_conversion(format + 1, arguments, &c);
		add_converted(value, c, arguments);
		value->is_number = is_first && format == end && strchr("diu", c.type) != NULL;
	}
}

/* The message ends before the first word with a '='. */
static const char *message_end(const char *format)
{
	const char *end = strchr(format, '=');
	if (end == NULL) {
		return format + strlen(format);
	}
	while (end > format && end[-1] != ' ') {
		end--;
	}
	return end > format ? end - 1 : end;
}

static void put_event(struct line *line, const char *format, struct arguments *arguments)
{
	struct value value;
	const char *end = message_end(format);
	print(&value, format, end, arguments);
	put_pair(line, SLICE("msg"), slice_make(value.bytes, value.len), false);
	while (*end != '\0' && !line->full) {
		const char *key = *end == ' ' ? end + 1 : end;
		const char *equals = strchr(key, '=');
		assert(equals != NULL);
		end = strchrnul(equals, ' ');
		print(&value, equals + 1, end, arguments);
		put_pair(line, slice_between(key, equals), slice_make(value.bytes, value.len),
				value.is_number);
	}
}

static void write_line(struct line *line)
{
	put_closing(line, line_format == LOG_FORMAT_JSON ? SLICE("}\n") : SLICE("\n"));
	ssize_t written;
	do {
		written = write(line_fd, line->bytes, line->len);
	} while (written < 0 && errno == EINTR);
}

static void log_event(enum log_level level, const char *format, struct arguments *arguments)
{
	static const struct slice names[] = {
		[LOG_LEVEL_DEBUG] = { "debug", 5 },
		[LOG_LEVEL_INFO] = { "info", 4 },
		[LOG_LEVEL_WARN] = { "warn", 4 },
		[LOG_LEVEL_ERROR] = { "error", 5 },
	};
	struct line line = { .len = 0, .full = false };
	put_time(&line);
	put_pair(&line, SLICE("level"), names[level], false);
	put_event(&line, format, arguments);
	write_line(&line);
}

void log_configure(enum log_level level, enum log_format format)
{
	shown_level = level;
	line_format = format;
}

void log_redirect(int fd)
{
	line_fd = fd;
}

bool log_shows(enum log_level level)
{
	return level >= shown_level;
}

/* Each level is a function, so that the compiler checks its format. */
#define DEFINE_LEVEL(function, level)                                                              \
	void function(const char *event, ...)                                                          \
	{                                                                                              \
		if (log_shows(level)) {                                                                    \
			struct arguments arguments;                                                            \
			va_start(arguments.list, event);                                                       \
			log_event(level, event, &arguments);                                                   \
			va_end(arguments.list);                                                                \
		}                                                                                          \
	}

DEFINE_LEVEL(log_debug, LOG_LEVEL_DEBUG)
DEFINE_LEVEL(log_info, LOG_LEVEL_INFO)
DEFINE_LEVEL(log_warn, LOG_LEVEL_WARN)
DEFINE_LEVEL(log_error, LOG_LEVEL_ERROR)
