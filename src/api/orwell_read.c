#include "api/orwell_read.h"

#include <math.h>

#include "api/answer.h"
#include "api/targets_api.h"
#include "api/targets_query.h"
#include "base/number.h"
#include "model/labels.h"
#include "transfer/line_json.h"

static const char not_a_uuid[] = "value is not a valid uuid";
static const char not_an_integer[] = "value is not a valid integer";

/* ---- Values ---- */

/* Digits alone; one that is too large for anything is the largest. */
static bool read_digits(struct slice text, uint64_t *ret_number)
{
	int64_t number = INT64_MAX;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9') {
			return false;
		}
	}
	if (text.len > 0) {
		number_parse_int(text, &number);
		*ret_number = (uint64_t)number;
	}
	return text.len > 0;
}

bool orwell_read_number(const cJSON *value, uint64_t *ret_number)
{
	static const double most = 9007199254740992.0; /* up to which each is its own double */
	if (cJSON_IsString(value)) {
		return read_digits(slice_of_string(value->valuestring), ret_number);
	}
	double number = cJSON_IsNumber(value) ? value->valuedouble : -1;
	if (!(number >= 0) || floor(number) != number) {
		return false;
	}
	*ret_number = number < most ? (uint64_t)number : INT64_MAX;
	return true;
}

/* With or without dashes. */
static bool read_uuid(struct slice text, struct target_id *ret_id)
{
	static const size_t parts[] = { 8, 4, 4, 4, 12 };
	char dashed[TARGET_ID_TEXT];
	size_t len = 0;
	if (text.len != TARGET_ID_TEXT - 4) {
		return target_id_parse(text, ret_id);
	}
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (i > 0) {
			dashed[len++] = '-';
		}
		memcpy(dashed + len, text.ptr, parts[i]);
		len += parts[i];
		text = slice_skip(text, parts[i]);
	}
	return target_id_parse(slice_make(dashed, len), ret_id);
}

/* ---- Bodies ---- */

static bool is_object(struct orwell_body *body, struct slice text)
{
	struct slice why;
	if (slice_trim(text).len == 0) {
		orwell_faults_add(
				&body->faults, "body", SLICE(""), "value_error.missing", SLICE("field required"));
		return false;
	}
	body->tree = line_json_parse(text, body->arena, &why);
	if (body->tree == NULL) {
		orwell_faults_add(&body->faults, "body", SLICE(""), "value_error.jsondecode", why);
	} else if (!cJSON_IsObject(body->tree)) {
		orwell_faults_add(&body->faults, "body", SLICE(""), "type_error.dict",
				SLICE("value is not a valid dict: an object is needed"));
	}
	return body->faults.text.len == 0;
}

bool orwell_body_open(struct api *api, struct exchange *exchange, struct orwell_body *body)
{
	struct slice text;
	struct slice why;
	int status = targets_decode_body(exchange, TARGETS_BODY_MAX, &text, &why);
	if (status != 0) {
		orwell_answer_error(api, exchange, status, why);
		return false;
	}
	*body = (struct orwell_body){ .arena = &exchange->arena };
	orwell_faults_init(&body->faults);
	return is_object(body, text) || orwell_body_close(api, exchange, body);
}

bool orwell_body_close(struct api *api, struct exchange *exchange, struct orwell_body *body)
{
	cJSON_Delete(body->tree);
	body->tree = NULL;
	if (orwell_answer_faults(api, exchange, &body->faults)) {
		return false;
	}
	orwell_faults_finish(&body->faults);
	return true;
}

const cJSON *orwell_body_field(const struct orwell_body *body, const char *name)
{
	const cJSON *found = NULL;
	for (const cJSON *field = body->tree->child; field != NULL; field = field->next) {
		found = strcmp(field->string, name) == 0 ? field : found;
	}
	return found;
}

void orwell_body_refuse(
		struct orwell_body *body, const char *name, const char *type, const char *message)
{
	orwell_faults_add(&body->faults, "body", slice_of_string(name), type, slice_of_string(message));
}

void orwell_body_require(struct orwell_body *body, const char *name)
{
	const cJSON *value = orwell_body_field(body, name);
	if (value == NULL) {
		orwell_body_refuse(body, name, "value_error.missing", "field required");
	} else if (cJSON_IsNull(value)) {
		orwell_body_refuse(
				body, name, "type_error.none.not_allowed", "none is not an allowed value");
	}
}

/* False: there is none, or it is null, or no string. */
static bool find_text(struct orwell_body *body, const char *name, const char *type,
		const char *message, struct orwell_text *ret_text)
{
	const cJSON *value = orwell_body_field(body, name);
	*ret_text = (struct orwell_text){ .is_given = value != NULL };
	if (value == NULL || cJSON_IsNull(value)) {
		return false;
	}
	if (!cJSON_IsString(value)) {
		orwell_body_refuse(body, name, type, message);
		return false;
	}
	ret_text->text = line_json_text(value->valuestring, body->arena);
	return true;
}

struct orwell_text orwell_body_text(
		struct orwell_body *body, const char *name, size_t bytes_min, size_t bytes_max)
{
	struct orwell_text found;
	if (!find_text(body, name, "type_error.str", "str type expected", &found)) {
		return found;
	}
	struct slice message;
	if (found.text.len < bytes_min) {
		message = SLICE("ensure this value is not empty");
		orwell_faults_add(&body->faults, "body", slice_of_string(name),
				"value_error.any_str.min_length", message);
	} else if (found.text.len > bytes_max) {
		message = arena_printf(body->arena, "ensure this value has at most %zu bytes", bytes_max);
		orwell_faults_add(&body->faults, "body", slice_of_string(name),
				"value_error.any_str.max_length", message);
	}
	found.text = labels_escape(body->arena, found.text);
	return found;
}

struct orwell_text orwell_body_uuid(struct orwell_body *body, const char *name)
{
	struct orwell_text found;
	struct target_id id;
	if (!find_text(body, name, "type_error.uuid", not_a_uuid, &found)) {
		return found;
	}
	if (!read_uuid(found.text, &id)) {
		orwell_body_refuse(body, name, "type_error.uuid", not_a_uuid);
		return found;
	}
	char *text = arena_text(body->arena, TARGET_ID_TEXT);
	target_id_format(&id, text);
	found.text = slice_make(text, TARGET_ID_TEXT);
	return found;
}

struct orwell_number orwell_body_number(
		struct orwell_body *body, const char *name, uint64_t min, uint64_t max)
{
	const cJSON *value = orwell_body_field(body, name);
	struct orwell_number found = { .is_given = value != NULL, .is_null = cJSON_IsNull(value) };
	if (value == NULL || found.is_null) {
		return found;
	}
	if (!orwell_read_number(value, &found.value)) {
		orwell_body_refuse(body, name, "type_error.integer", not_an_integer);
	} else if (found.value < min || found.value > max) {
		orwell_faults_add(&body->faults, "body", slice_of_string(name), "value_error.number",
				arena_printf(body->arena, "ensure this value is from %llu to %llu",
						(unsigned long long)min, (unsigned long long)max));
	}
	return found;
}

/* ---- Paths and queries ---- */

static bool refuse(struct api *api, struct exchange *exchange, const char *place, const char *name,
		const char *type, const char *message)
{
	struct orwell_faults faults;
	orwell_faults_init(&faults);
	orwell_faults_add(&faults, place, slice_of_string(name), type, slice_of_string(message));
	return !orwell_answer_faults(api, exchange, &faults);
}

bool orwell_path_number(struct api *api, struct exchange *exchange, const char *name,
		struct slice text, uint64_t *ret_number)
{
	return read_digits(text, ret_number)
			|| refuse(api, exchange, "path", name, "type_error.integer", not_an_integer);
}

bool orwell_path_id(struct api *api, struct exchange *exchange, const char *name, struct slice text,
		struct target_id *ret_id)
{
	return read_uuid(text, ret_id)
			|| refuse(api, exchange, "path", name, "type_error.uuid", not_a_uuid);
}

/* What is not there leaves the number as it is. */
static bool read_parameter(
		struct api *api, struct exchange *exchange, const char *name, size_t *number)
{
	struct slice raw = exchange_query_parameter(exchange, slice_of_string(name));
	struct slice text;
	uint64_t value;
	if (raw.ptr == NULL) {
		return true;
	}
	if (!answer_decode_query(raw, &exchange->arena, &text) || !read_digits(text, &value)) {
		return refuse(api, exchange, "query", name, "type_error.integer",
				"value is not a valid integer: it has to be 0 or more");
	}
	*number = value;
	return true;
}

bool orwell_query_page(
		struct api *api, struct exchange *exchange, size_t *ret_offset, size_t *ret_limit)
{
	*ret_offset = 0;
	*ret_limit = SIZE_MAX;
	return read_parameter(api, exchange, "offset", ret_offset)
			&& read_parameter(api, exchange, "limit", ret_limit);
}

bool orwell_query_order(struct api *api, struct exchange *exchange, struct targets_order *ret_order)
{
	struct slice raw = exchange_query_parameter(exchange, SLICE("sort"));
	struct slice text;
	*ret_order = (struct targets_order){ .name = slice_make(NULL, 0) };
	return raw.ptr == NULL
			|| (answer_decode_query(raw, &exchange->arena, &text)
					&& targets_query_read_order(text, ret_order))
			|| refuse(api, exchange, "query", "sort", "value_error",
					"it has to be the name of an attribute, such as priority, or -priority for "
					"the largest first");
}
