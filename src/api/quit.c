#include "api/answer.h"
#include "api/endpoints.h"

static void set_text(struct exchange *exchange, int status, struct slice text)
{
	exchange->response.status = status;
	exchange->response.content_type = SLICE("text/plain; charset=utf-8");
	exchange->response.body = text;
}

void quit_handle(struct api *api, struct exchange *exchange)
{
	if (exchange->request.method == METHOD_GET) {
		set_text(exchange, 405, SLICE("Only POST or PUT requests allowed."));
	} else if (api->options.quit == NULL) {
		set_text(exchange, 403, SLICE("Lifecycle API is not enabled."));
	} else {
		set_text(exchange, 200, SLICE("Requesting termination... Goodbye!"));
		exchange->response.close = true;
		api->options.quit(api->options.quit_data);
	}
	exchange_answer(exchange);
}
