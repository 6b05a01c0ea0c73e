#include "stats/process.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static double read_boot_time(void)
{
	FILE *file = fopen("/proc/stat", "re");
	char line[256];
	double boot = 0;
	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		if (sscanf(line, "btime %lf", &boot) == 1) {
			break;
		}
	}
	if (file != NULL) {
		fclose(file);
	}
	return boot;
}

/* man proc(5): fields 14, 15, 22, 23 and 24, counted from behind the name. */
static void read_stat(struct process_stats *stats)
{
	char text[1024] = "";
	FILE *file = fopen("/proc/self/stat", "re");
	if (file == NULL) {
		return;
	}
	size_t len = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[len] = '\0';
	const char *fields = strrchr(text, ')');
	unsigned long user;
	unsigned long kernel;
	unsigned long long start;
	unsigned long virtual_bytes;
	long pages;
	if (fields == NULL
			|| sscanf(fields,
					   ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d "
					   "%*d %*d %llu %lu %ld",
					   &user, &kernel, &start, &virtual_bytes, &pages)
					!= 5) {
		return;
	}
	double ticks = (double)sysconf(_SC_CLK_TCK);
	stats->cpu_seconds = (double)(user + kernel) / ticks;
	stats->start_time = read_boot_time() + (double)start / ticks;
	stats->virtual_bytes = virtual_bytes;
	stats->resident_bytes = (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	uint64_t count = 0;
	while (dir != NULL && readdir(dir) != NULL) {
		count++;
	}
	if (dir != NULL) {
		closedir(dir);
	}
	/* Without . and .. and the directory itself. */
	return count < 3 ? 0 : count - 3;
}

void process_stats_read(struct process_stats *ret_stats)
{
	struct rlimit limit;
	*ret_stats = (struct process_stats){ 0 };
	read_stat(ret_stats);
	ret_stats->open_fds = count_fds();
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		ret_stats->max_fds = limit.rlim_cur;
	}
	if (getrlimit(RLIMIT_AS, &limit) == 0) {
		ret_stats->virtual_max_bytes =
				limit.rlim_cur == RLIM_INFINITY ? 18446744073709551615.0 : (double)limit.rlim_cur;
	}
}
