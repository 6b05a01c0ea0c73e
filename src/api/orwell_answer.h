#pragma once

/*
 * Answers of the routes of ORWELL's middleware, in the shapes that its clients know, which are
 * those of FastAPI:
 *
 *     {"id":1,"name":"telegraf",...}
 *     {"detail":{"error":"Host Not Found","code":404}}
 *     {"detail":[{"loc":["body","ip"],"msg":"field required","type":"value_error.missing"}]}
 */

#include "api/api.h"
#include "base/buf.h"

/* What is wrong with a request, all of it. To be answered, or finished. */
struct orwell_faults {
	struct buf text; /* JSON objects, a comma between two */
};

void orwell_faults_init(struct orwell_faults *faults);
void orwell_faults_finish(struct orwell_faults *faults);

/* The place is body, path or query; an empty name: all of it. The type is pydantic's name. */
void orwell_faults_add(struct orwell_faults *faults, const char *place, struct slice name,
		const char *type, struct slice message);

/* 422 with all of them when there are some, and they are finished; else false. */
bool orwell_answer_faults(struct api *api, struct exchange *exchange, struct orwell_faults *faults);

/* The JSON is finished. */
void orwell_answer(struct api *api, struct exchange *exchange, struct buf *json);

void orwell_set_error(struct exchange *exchange, int status, struct slice text);
void orwell_answer_error(struct api *api, struct exchange *exchange, int status, struct slice text);

/* True when nothing can be said of targets yet: the exchange was answered, or waits. */
bool orwell_is_loading(struct api *api, struct exchange *exchange);
