#include "state/boot.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

static const int64_t CREDIBLE_NS = INT64_C(366) * 24 * 3600 * 1000000000;

static int digit_of(char c)
{
	const char digits[] = "0123456789abcdef";
	const char *place = c == '\0' ? NULL : strchr(digits, c);
	return place == NULL ? -1 : (int)(place - digits);
}

/* The kernel's random number of this start: 32 digits with dashes in between. */
static void read_boot_id(char ret_id[static 16])
{
	char text[64];
	size_t digits = 0;
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	memset(ret_id, 0, 16);
	if (fd < 0) {
		return;
	}
	ssize_t len = read(fd, text, sizeof(text));
	close(fd);
	for (ssize_t i = 0; i < len && digits < 32; i++) {
		int digit = digit_of(text[i]);
		if (digit >= 0) {
			int byte = (unsigned char)ret_id[digits / 2] << 4 | digit;
			ret_id[digits++ / 2] = (char)byte;
		}
	}
}

struct boot_time boot_time_now(void)
{
	struct boot_time now = { .wall_ns = clock_wall_ns(), .boot_ns = clock_boot_ns() };
	read_boot_id(now.boot_id);
	return now;
}

int64_t boot_time_between(const struct boot_time *then, const struct boot_time *now)
{
	static const char unknown[16];
	bool is_same = memcmp(then->boot_id, now->boot_id, sizeof(unknown)) == 0
			&& memcmp(then->boot_id, unknown, sizeof(unknown)) != 0;
	if (is_same && now->boot_ns >= then->boot_ns && now->boot_ns - then->boot_ns <= INT64_MAX) {
		return (int64_t)(now->boot_ns - then->boot_ns);
	}
	int64_t passed_ns;
	bool is_credible = !__builtin_sub_overflow(now->wall_ns, then->wall_ns, &passed_ns)
			&& passed_ns >= 0 && passed_ns <= CREDIBLE_NS;
	return is_credible ? passed_ns : 0;
}
