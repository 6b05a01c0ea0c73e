#include "transfer/gateway_time.h"

#include <math.h>

#include "base/rfc3339.h"

static const int64_t year_2262 = 9214646400; /* not all of it is in an int64 */

enum {
	SECOND_NS = 1000000000,
	GAUGE_ERROR_NS = 1000,
};

bool gateway_time_parse(struct slice text, int64_t *ret_ns)
{
	int64_t seconds;
	int32_t ns;
	if (!rfc3339_parse(text, &seconds, &ns) || seconds < 0 || seconds >= year_2262) {
		return false;
	}
	*ret_ns = seconds * SECOND_NS + ns;
	return true;
}

int64_t gateway_time_of_gauge(double seconds, struct slice stamp)
{
	int64_t stamp_ns;
	double ns = seconds * SECOND_NS;
	if (!(ns >= 1 && ns < 0x1p63)) {
		return 0;
	}
	if (gateway_time_parse(stamp, &stamp_ns) && fabs((double)stamp_ns - ns) <= GAUGE_ERROR_NS) {
		return stamp_ns;
	}
	return (int64_t)ns;
}
