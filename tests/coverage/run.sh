#!/bin/sh
# SPDX-License-Identifier: MIT
#
# How much of lib/ the tests of lib/ run: 95 % of the lines and 90 % of the
# branches. It is built once more, without optimisation and with counters, and
# without the tools; the hostile server and the faults, which bring little that
# the others do not, have their turn with STLS_TEST_FULL.
#
# What is left out: the branches of assert(), whose other side is a mistake of
# our own that ends the program.
#
# usage: run.sh      leaves build-coverage/files.txt, the worst at its end

set -u
cd "$(dirname "$0")/../.." || exit 1
build="build-coverage"
lines_min=95
branches_min=90
suites='base crypto mail name net sasl smtp tls client'
[ -z "${STLS_TEST_FULL:-}" ] || suites="$suites hostile faults"

if ! command -v gcovr >/dev/null; then
	echo 'skipped: there is no gcovr'
	exit
fi
[ -f $build/build.ninja ] ||
	CC=gcc CXX=g++ meson setup $build -Db_coverage=true -Doptimization=0 \
		-Ddebug=true -Dtools=false -Dman=false || exit 1
ninja -j 2 -C $build || exit 1
find $build -name '*.gcda' -exec rm -f {} +

with_suites=
for suite in $suites; do
	with_suites="$with_suites --suite $suite"
done
# shellcheck disable=SC2086
if meson test -C $build --no-rebuild --num-processes 3 --print-errorlogs \
	--setup patient $with_suites; then
	echo "ok: the tests pass with counters ($suites)"
else
	echo "NOT OK: a test fails with counters ($suites)"
fi

# All programs share the objects of the library. Two files are there twice, as
# the library has them and as its tests do, which no test of this runs.
rm -f $build/lib/libsmtptls.so.*.p/base_alloc.c.gc* \
	$build/lib/libsmtptls.so.*.p/tls_context-trust.c.gc*
gcovr --root . --filter 'lib/' -j 2 --print-summary \
	--exclude-branches-by-pattern '\s*assert\(.*' \
	--json $build/coverage.json --json-summary $build/summary.json \
	--txt $build/lines.txt \
	$build/lib/libsmtptls.so.*.p $build/tests/libsmtptls-test.a.p \
	>$build/summary.txt || exit 1
gcovr --root . --add-tracefile $build/coverage.json --branches \
	--sort-percentage --txt $build/files.txt || exit 1
cat $build/files.txt

# judge NAME MINIMUM: from `lines: 96.9% (10632 out of 10972)`
judge() {
	figure=$(sed -n "s/^$1: \([0-9.]*\)%.*/\1/p" $build/summary.txt)
	if [ -n "$figure" ] &&
		awk "BEGIN { exit !($figure >= $2) }"; then
		echo "ok: $1 $figure % ($2)"
	else
		echo "NOT OK: $1 ${figure:-unknown} % ($2)"
	fi
}

judge lines $lines_min
judge branches $branches_min
