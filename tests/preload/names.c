/*
 * Preloaded into weir: names below .test stand for what the file NAMES says at the time, a name a
 * line:
 *
 *     NAME ADDRESS ADDRESS...
 *     NAME FAULT                which getaddrinfo() answers with, such as -3 (try again)
 *     NAME wait                 there is no answer as long as it says that
 *
 * One that is not there does not exist. All other names are looked up as ever.
 */

#include <netdb.h>

#include "below.h"

enum { LINE_MAX_BYTES = 4096 };

static int (*next_getaddrinfo)(const char *name, const char *service, const struct addrinfo *hints,
		struct addrinfo **ret_answer);

static __attribute__((constructor)) void find_next(void)
{
	FIND_NEXT(next_getaddrinfo, "getaddrinfo");
}

static bool is_ours(const char *name)
{
	size_t len = name == NULL ? 0 : strlen(name);
	return len > 5 && strcmp(name + len - 5, ".test") == 0;
}

/* What stands behind the name; NULL: it is not there. */
static char *find_line(const char *name, char line[static LINE_MAX_BYTES])
{
	const char *path = getenv("NAMES");
	FILE *file = path == NULL ? NULL : fopen(path, "re");
	char *found = NULL;
	size_t len = strlen(name);
	while (file != NULL && found == NULL && fgets(line, LINE_MAX_BYTES, file) != NULL) {
		found = strncmp(line, name, len) == 0 && line[len] == ' ' ? line + len : NULL;
	}
	if (file != NULL) {
		fclose(file);
	}
	return found;
}

int getaddrinfo(const char *restrict name, const char *restrict service,
		const struct addrinfo *restrict hints, struct addrinfo **restrict ret_answer)
{
	char line[LINE_MAX_BYTES];
	if (!is_ours(name)) {
		return next_getaddrinfo(name, service, hints, ret_answer);
	}
	char *rest = find_line(name, line);
	while (rest != NULL && strcmp(rest, " wait\n") == 0) {
		usleep(10000);
		rest = find_line(name, line);
	}
	int fault = EAI_NONAME;
	*ret_answer = NULL;
	while (rest != NULL) {
		char *address = strtok_r(rest, " \n", &rest);
		if (address == NULL) {
			break;
		}
		if (address[0] == '-') {
			return atoi(address);
		}
		struct addrinfo *before = *ret_answer;
		fault = next_getaddrinfo(address, service, hints, ret_answer);
		(*ret_answer)->ai_next = before;
	}
	return fault;
}
