#include "api/rate_limit.h"

void rate_limit_set(struct rate_limit *limit, int64_t interval_ns, uint64_t burst, uint64_t now_ns)
{
	if (limit->interval_ns == interval_ns && limit->burst == burst) {
		return;
	}
	*limit = (struct rate_limit){
		.interval_ns = interval_ns,
		.burst = burst,
		.tokens = (double)burst,
		.filled_ns = now_ns,
	};
}

bool rate_limit_take(struct rate_limit *limit, uint64_t now_ns)
{
	if (limit->interval_ns == 0) {
		return true;
	}
	limit->tokens += (double)(now_ns - limit->filled_ns) / (double)limit->interval_ns;
	limit->filled_ns = now_ns;
	if (limit->tokens > (double)limit->burst) {
		limit->tokens = (double)limit->burst;
	}
	if (limit->tokens < 1) {
		return false;
	}
	limit->tokens -= 1;
	return true;
}
