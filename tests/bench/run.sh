#!/bin/sh
# SPDX-License-Identifier: MIT
# Build and run the benchmarks: this library beside its peers, against
# smtp-sink-tls. Peers and tools that are missing are left out.
#
# usage: tests/bench/run.sh [--install] [--update] [--build DIR] [option ...]
#
#   --install    install peers and tools first (Debian, as root)
#   --update     put the results into doc/performance.md and its plots
#   --build DIR  where to build (build-bench)
#
# Other options, --only for one, are those of bench.py: see --help.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
build=$root/build-bench
packages='gcc meson pkg-config python3 check libgnutls28-dev libinih-dev
	libcurl4-gnutls-dev libesmtp-dev msmtp valgrind strace'
install=
update=
# What is not known here goes to the end, and is for bench.py.
left=$#
while [ "$left" -gt 0 ]; do
	case $1 in
	--install) install=1 ;;
	--update) update=1 ;;
	--build)
		build=${2:?--build needs a folder}
		shift
		left=$((left - 1))
		;;
	*) set -- "$@" "$1" ;;
	esac
	shift
	left=$((left - 1))
done

if [ -n "$install" ]; then
	# shellcheck disable=SC2086
	apt-get install -y --no-install-recommends $packages
fi
if [ ! -d "$build" ]; then
	meson setup "$build" "$root" --buildtype=release -Dman=false
fi
ninja -C "$build" bench >&2
if [ -n "$update" ]; then
	set -- --json "$root/doc/performance/data.json" \
		--svg "$root/doc/performance" \
		--doc "$root/doc/performance.md" "$@"
fi
exec python3 -B "$root/tests/bench/bench.py" --build "$build" "$@"
