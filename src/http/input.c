#include "http/input.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"

enum {
	SPARES_MAX = 8,
	PINNED_MAX = 64, /* 16 MiB */
};

void http_inputs_init(struct http_inputs *inputs)
{
	*inputs = (struct http_inputs){ 0 };
	list_init(&inputs->spares);
}

void http_inputs_finish(struct http_inputs *inputs)
{
	assert(inputs->pinned == 0);
	LIST_EACH (link, &inputs->spares) {
		free(LIST_ENTRY(link, struct http_input, link));
	}
}

static struct http_input *create(struct http_inputs *inputs, size_t size)
{
	struct http_input *input = memory_alloc(sizeof(*input) + size);
	list_init(&input->link);
	input->owner = inputs;
	input->refs = 1;
	input->size = size;
	return input;
}

struct http_input *http_inputs_take(struct http_inputs *inputs)
{
	inputs->pinned++;
	struct list *link = list_first(&inputs->spares);
	if (link == NULL) {
		return create(inputs, HTTP_INPUT_BYTES);
	}
	list_remove(link);
	inputs->spare_count--;
	struct http_input *input = LIST_ENTRY(link, struct http_input, link);
	input->refs = 1;
	return input;
}

struct http_input *http_inputs_copy(struct http_inputs *inputs, struct slice bytes)
{
	if (bytes.len == HTTP_INPUT_BYTES) {
		inputs->pinned++;
	}
	struct http_input *input = create(inputs, bytes.len);
	memcpy(input->data, bytes.ptr, bytes.len);
	return input;
}

bool http_inputs_may_pin(const struct http_inputs *inputs)
{
	return inputs->pinned < PINNED_MAX;
}

struct http_input *http_input_ref(struct http_input *input)
{
	input->refs++;
	return input;
}

void http_input_unref(struct http_input *input)
{
	if (--input->refs != 0) {
		return;
	}
	struct http_inputs *inputs = input->owner;
	if (input->size == HTTP_INPUT_BYTES) {
		inputs->pinned--;
		if (inputs->spare_count < SPARES_MAX) {
			list_append(&inputs->spares, &input->link);
			inputs->spare_count++;
			return;
		}
	}
	free(input);
}
