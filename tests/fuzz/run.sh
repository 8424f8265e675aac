#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Fuzz with libFuzzer: build the targets with clang, AddressSanitizer and
# UndefinedBehaviorSanitizer, and run each for some time from its corpus.
#
# usage: sh tests/fuzz/run.sh [--seconds N] [--keep FOLDER] [--merge] [target ...]
#
# Without a target, all of them. N is for each, 60 where it is not said. What is
# found is kept in FOLDER/TARGET (build-fuzz/found) and is begun from the next
# time. --merge brings what adds coverage, and is small, into tests/fuzz/corpus.
# What makes a target fail is left as build-fuzz/found/TARGET-crash-..., and
# shown again by: build-fuzz/tests/fuzz/fuzz-TARGET FILE

set -u
LC_ALL=C
ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1
UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
export LC_ALL ASAN_OPTIONS UBSAN_OPTIONS
cd "$(dirname "$0")/../.." || exit 1

build="build-fuzz"
seconds=60
keep=$build/found
merge=no
targets=
while [ $# -gt 0 ]; do
	case $1 in
	--seconds) seconds=$2 && shift ;;
	--keep) keep=$2 && shift ;;
	--merge) merge=yes ;;
	-h | --help)
		sed -n '4,/^$/s/^# \{0,1\}//p' "$0"
		exit 0
		;;
	-*)
		echo "no such option: $1" >&2
		exit 64
		;;
	*) targets="$targets $1" ;;
	esac
	shift
done

all_targets() {
	for file in tests/fuzz/fuzz-*.c; do
		name=${file##*/fuzz-}
		echo "${name%.c}"
	done
}

prepare() {
	if [ ! -f $build/build.ninja ]; then
		CC=clang CXX=clang++ meson setup $build -Dfuzzer=true \
			--buildtype=debugoptimized --werror -Dman=false \
			-Db_sanitize=address,undefined -Db_lundef=false ||
			return 1
	fi
	ninja -j 2 -C $build fuzzers
}

# Executions and edges, from what libFuzzer says at its end.
sum_up() {
	awk '
		/^#[0-9]+/ { for (i = 1; i < NF; i++) {
			if ($i == "cov:") cov = $(i + 1)
			if ($i == "corp:") corpus = $(i + 1) } }
		/^stat::number_of_executed_units/ { n = $2 }
		END { printf "%s inputs, %s edges, corpus %s\n", n, cov, corpus }
	' "$1"
}

fuzz() {
	name=$1
	found=$keep/$name
	corpus=tests/fuzz/corpus/$name
	dictionary=tests/fuzz/$name.dict
	log=$keep/$name.log
	mkdir -p "$found"
	[ "$name" != engine ] ||
		python3 -B tests/fuzz/seeds.py tests/transcripts "$found"
	set -- -max_total_time="$seconds" -max_len=4096 -timeout=10 \
		-rss_limit_mb=1024 -print_final_stats=1 \
		-artifact_prefix="$keep/$name-" -verbosity=1
	[ -f "$dictionary" ] && set -- "$@" -dict="$dictionary"
	if "$build/tests/fuzz/fuzz-$name" "$@" "$found" "$corpus" >"$log" 2>&1
	then
		echo "ok: $name: $(sum_up "$log")"
	else
		tail -n 60 "$log"
		echo "NOT OK: $name, see $log"
		status=1
	fi
}

# What adds most, and is small.
bring_in() {
	name=$1
	corpus=tests/fuzz/corpus/$name
	small=$keep/$name-small
	control=$keep/$name-control
	rm -rf "$small" "$control" && mkdir -p "$small/none"
	find "$keep/$name" -type f -size -2 -exec cp {} "$small" \;
	# It goes to a folder that is empty, so that each file is told of.
	if "$build/tests/fuzz/fuzz-$name" -merge=1 \
		-merge_control_file="$control" "$small/none" "$corpus" \
		"$small" >"$keep/$name-merge.log" 2>&1
	then
		python3 -B tests/fuzz/pick.py "$control" "$corpus" 60 || status=1
	else
		status=1
	fi
	rm -rf "$small"
	echo "ok: $name: $(find "$corpus" -type f | wc -l) files in its corpus"
}

status=0
mkdir -p build-logs
if ! prepare >build-logs/fuzz-build.log 2>&1; then
	tail -n 40 build-logs/fuzz-build.log
	echo "NOT OK: the fuzzers cannot be built"
	exit 1
fi
mkdir -p "$keep"
for target in ${targets:-$(all_targets)}; do
	fuzz "$target"
	[ $merge = no ] || bring_in "$target"
done
exit $status
