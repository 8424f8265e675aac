#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Many connections in one thread, and many threads, against a server in which
# everything goes wrong: nothing is lost, doubled or leaked, and under
# ThreadSanitizer nothing races. With STLS_TEST_FULL it takes ten minutes.
#
# usage: run.sh [SEED]     after the build in build-gcc

set -u
cd "$(dirname "$0")/../.." || exit 1
seed=${1:-$(date +%s)}
gcc=build-gcc/tests/load
tsan=build-tsan
logs=build-logs/load.d
mkdir -p $logs

# GnuTLS and its libraries are not instrumented, and need no suppression: what
# they share between threads they lock by pthreads, which is seen.
TSAN_OPTIONS=halt_on_error=0:second_deadlock_stack=1
export TSAN_OPTIONS

if [ -n "${STLS_TEST_FULL:-}" ]; then
	many='--connections 1000 --rounds 10 --seconds 60 --patience 8000'
	threads='--seconds 240 --patience 2000'
	some='--connections 200 --rounds 3 --lives 10'
else
	many='--connections 200 --rounds 3 --lives 2 --patience 1000'
	threads='--lives 60'
	some='--connections 60'
fi

# ok LABEL LOG: the last lines of a log belong to what is not.
ok() {
	echo "ok: $1"
	grep -E '^(seed|good|recipients|[0-9]+ (messages|threads))' "$2"
}

not_ok() {
	tail -n 60 "$2"
	echo "NOT OK: $1"
}

# run LABEL LOG PROGRAM ARGUMENT...
run() {
	label=$1
	log=$logs/$2.log
	shift 2
	if "$@" --seed "$seed" >"$log" 2>&1; then
		ok "$label" "$log"
	else
		not_ok "$label" "$log"
	fi
}

# tells LABEL LOG PATTERN PROGRAM ARGUMENT...: it fails, for this reason.
tells() {
	label=$1
	log=$logs/$2.log
	pattern=$3
	shift 3
	if "$@" --seed "$seed" >"$log" 2>&1; then
		not_ok "$label: nothing was noticed" "$log"
	elif grep -q "$pattern" "$log"; then
		echo "ok: $label"
	else
		not_ok "$label" "$log"
	fi
}

build_tsan() {
	if [ ! -f $tsan/build.ninja ]; then
		rm -rf $tsan
		CC=clang CXX=clang++ meson setup $tsan -Doptimization=1 \
			-Ddebug=true -Db_sanitize=thread -Db_lundef=false \
			-Dtools=false -Dman=false --werror || return 1
	fi
	ninja -j 2 -C $tsan tests/load/load-pool tests/load/load-clients
}

# This one waits for most of its time: meanwhile something can be built.
# shellcheck disable=SC2086
run 'many connections lose and double nothing, whatever happens' many \
	$gcc/load-clients $many >$logs/many.out &
many_pid=$!
build_tsan >$logs/build.log 2>&1
built=$?

calm='--calm --connections 40'
# shellcheck disable=SC2086
{
	run 'a server without faults gets everything' calm \
		$gcc/load-clients $calm
	tells 'a server that doubles is noticed' doubles 'wrong: .* doubled' \
		$gcc/load-clients $calm --lie doubles
	tells 'a server that loses is noticed' loses 'wrong: .* lost' \
		$gcc/load-clients $calm --lie loses
	tells 'a server that keeps what it refuses is noticed' keeps \
		'wrong: .* kept by' $gcc/load-clients $calm --lie keeps
	tells 'a server that changes something is noticed' mangles \
		'wrong: .* another content' \
		$gcc/load-clients $calm --lie mangles
}

if [ $built != 0 ]; then
	not_ok 'clang builds with ThreadSanitizer' $logs/build.log
else
	tells 'ThreadSanitizer finds a race in the library' race \
		'data race.* in stls_' \
		$tsan/tests/load/load-pool --calm --lives 1 --races
	# shellcheck disable=SC2086
	run 'many threads share pools, contexts and caches without a race' \
		threads $tsan/tests/load/load-pool $threads
	# shellcheck disable=SC2086
	run 'one thread and those that resolve names do not race' clients \
		$tsan/tests/load/load-clients $some
fi

wait $many_pid
cat $logs/many.out
