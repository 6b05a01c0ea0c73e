# usage: awk -f text.awk -f cgroups.awk -v root=DIR -v version=1|2 -v ticks=N -v most=N LIST
#
# What the kernel counts of cgroups, as samples with the names that cAdvisor has; the same
# of both versions. LIST has a path below the root a line, "" being the root itself.

BEGIN {
	hierarchy = version == 1 ? "memory cpuacct cpu,cpuacct pids blkio" : "."
	hierarchies = split(hierarchy, place, " ")
	families = split("container_cpu_usage_seconds_total container_cpu_user_seconds_total " \
		"container_cpu_system_seconds_total container_fs_reads_bytes_total container_fs_writes_bytes_total " \
		"container_memory_cache container_memory_rss container_memory_usage_bytes container_processes " \
		"container_spec_memory_limit_bytes", family, " ")
}

!is_utf8($0) || ++count > most {
	left_out++
	next
}

{
	labels = "id=\"" escaped($0 == "" ? "/" : $0) "\",name=\"" escaped(name_of($0)) "\""
	seen = 0
	if (version == 1) {
		read_v1($0)
	} else {
		read_v2($0)
	}
	cgroups += seen
}

# What people call it: the first digits of an id, or its own name.
function name_of(path) {
	sub(/.*\//, "", path)
	if (match(path, /[0-9a-f]+(\.scope)?$/) && RLENGTH >= 64) {
		return substr(path, RSTART, 12)
	}
	sub(/^lxc\.payload\./, "", path)
	return path
}

function add(metric, value, further) {
	if (value ~ /^[0-9.]+$/) {
		seen = 1
		samples[metric] = samples[metric] metric "{" labels further "} " value "\n"
	}
}

function seconds(count, unit) {
	return count ~ /^[0-9]+$/ ? sprintf("%.6f", count / unit) : ""
}

# A file's lines to line[]; how many there are. One that is gone has none.
function lines_of(file, path,    p, count, full) {
	for (p = 1; p <= hierarchies; p++) {
		full = root "/" place[p] path "/" file
		while ((getline line[count + 1] < full) > 0) {
			count++
		}
		close(full)
		if (count) {
			return count
		}
	}
	return 0
}

function first_of(file, path) {
	return lines_of(file, path) ? line[1] : ""
}

# Lines of a NAME and a number, to named[].
function names_of(file, path,    i, count, word) {
	split("", named)
	count = lines_of(file, path)
	for (i = 1; i <= count; i++) {
		split(line[i], word, " ")
		named[word[1]] = word[2]
	}
}

# No limit is "max", or as much as fits.
function limit(text) {
	return text == "" ? "" : text ~ /^[0-9]+$/ && text + 0 < 9e18 ? text : 0
}

function read_v1(path,    i, count, word) {
	add("container_memory_usage_bytes", first_of("memory.usage_in_bytes", path))
	add("container_spec_memory_limit_bytes", limit(first_of("memory.limit_in_bytes", path)))
	names_of("memory.stat", path)
	add("container_memory_rss", named["total_rss"])
	add("container_memory_cache", named["total_cache"])
	add("container_cpu_usage_seconds_total", seconds(first_of("cpuacct.usage", path), 1e9))
	names_of("cpuacct.stat", path)
	add("container_cpu_user_seconds_total", seconds(named["user"], ticks))
	add("container_cpu_system_seconds_total", seconds(named["system"], ticks))
	add("container_processes", first_of("pids.current", path))
	count = lines_of("blkio.throttle.io_service_bytes", path)
	for (i = 1; i <= count; i++) {
		split(line[i], word, " ")
		if (word[2] == "Read" || word[2] == "Write") {
			add(word[2] == "Read" ? "container_fs_reads_bytes_total" : "container_fs_writes_bytes_total", word[3],
				",device=\"" word[1] "\"")
		}
	}
}

function read_v2(path,    i, k, count, words, word) {
	add("container_memory_usage_bytes", first_of("memory.current", path))
	add("container_spec_memory_limit_bytes", limit(first_of("memory.max", path)))
	names_of("memory.stat", path)
	add("container_memory_rss", named["anon"])
	add("container_memory_cache", named["file"])
	names_of("cpu.stat", path)
	add("container_cpu_usage_seconds_total", seconds(named["usage_usec"], 1e6))
	add("container_cpu_user_seconds_total", seconds(named["user_usec"], 1e6))
	add("container_cpu_system_seconds_total", seconds(named["system_usec"], 1e6))
	add("container_processes", first_of("pids.current", path))
	count = lines_of("io.stat", path)
	for (i = 1; i <= count; i++) {
		words = split(line[i], word, " ")
		for (k = 2; k <= words; k++) {
			if (sub(/^rbytes=/, "", word[k])) {
				add("container_fs_reads_bytes_total", word[k], ",device=\"" word[1] "\"")
			} else if (sub(/^wbytes=/, "", word[k])) {
				add("container_fs_writes_bytes_total", word[k], ",device=\"" word[1] "\"")
			}
		}
	}
}

END {
	for (i = 1; i <= families; i++) {
		if (samples[family[i]] != "") {
			printf "# TYPE %s %s\n%s", family[i], family[i] ~ /_total$/ ? "counter" : "gauge", samples[family[i]]
		}
	}
	printf "# TYPE cgroups gauge\ncgroups %d\n# TYPE cgroups_left_out gauge\ncgroups_left_out %d\n", cgroups, left_out
}
