# shellcheck shell=sh
# usage: . scripts/lib/packages.sh; packages_need build|run|site|snmp|demo|test
#
# Makes sure that the Debian packages for building, for running what was built,
# for scripts/site, for making snmp.yml of MIBs there, for the demo or for testing
# are there. The latter two need those for building as well. A machine that has them needs neither network nor
# root.

packages_build="gcc libbsd-dev libc6-dev libcjson-dev libcrypt-dev libcurl4-openssl-dev libhiredis-dev libisal-dev \
libpcre2-dev libpq-dev libsnappy-dev libsqlite3-dev libssl-dev libsystemd-dev libuv1-dev libxxhash-dev libyaml-dev \
libzstd-dev meson ninja-build node-llhttp pkg-config python3 zlib1g-dev"

packages_run="libbsd0 libc6 libcjson1 libcrypt1 libcurl4 libhiredis0.14 libisal2 libpcre2-8-0 libpq5 libsnappy1v5 \
libsqlite3-0 libssl3 libsystemd0 libuv1 libyaml-0-2 libzstd1 zlib1g"

packages_site="ca-certificates curl iputils-ping"

packages_snmp="prometheus-snmp-exporter"

packages_demo="postgresql prometheus prometheus-alertmanager prometheus-node-exporter redis-server"

packages_test="$packages_demo $packages_site $packages_snmp buildah busybox clang clang-format cmark-gfm \
docker-compose libclang-rt-14-dev llvm make nginx-light openssl procps prometheus-pushgateway protobuf-compiler \
python3-hypothesis python3-jsonschema python3-kubernetes python3-prometheus-client python3-protobuf python3-pytest \
python3-pytest-xdist python3-yaml shellcheck snmpd systemd util-linux wrk zstd"

# Prints those of the named packages that are not installed.
packages_missing() {
	for package in "$@"; do
		status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || status=none
		[ "$status" = installed ] || printf '%s ' "$package"
	done
}

packages_need() {
	wanted=$packages_build
	case $1 in
	run) wanted=$packages_run ;;
	site) wanted=$packages_site ;;
	snmp) wanted=$packages_snmp ;;
	demo) wanted="$wanted $packages_demo" ;;
	test) wanted="$wanted $packages_test" ;;
	esac
	# shellcheck disable=SC2086 # one word a package
	missing=$(packages_missing $wanted)
	[ -n "$missing" ] || return 0
	as_root=
	if [ "$(id -u)" -ne 0 ]; then
		as_root="sudo -n"
		if ! sudo -n true 2>/dev/null; then
			echo "missing packages; as root: apt-get install --no-install-recommends $missing" >&2
			return 1
		fi
	fi
	echo "installing: $missing" >&2
	# shellcheck disable=SC2086
	$as_root "${root:?}/scripts/lib/install-packages" $missing
}
