#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Have CBMC show that the parsers and writers of lib/ have no undefined
# behaviour, and what else each file here says, for every input within bounds.
# A loop that would go on behind its bound is a failure, so that the bounds hold
# what they say. With STLS_TEST_FULL the bounds are larger, and each defect that
# a file names, put into a copy of the source, has to be found.
#
# What is at the top of each file:
#   files:    what is looked at with it
#   options:  more options for all runs
#   short:    options of a run, one line for each; the first is for mutants too
#   full:     the same, with STLS_TEST_FULL; there may be nothing else
#   mutant:   a source and an expression of sed that makes a defect of it
#
# usage: run.sh [HARNESS...]      all of them, or these, e.g. reply

set -u
cd "$(dirname "$0")/../.." || exit 1
here=tests/proofs
work=build-proofs
# A proof that needs more than this is too large for here.
memory_max_kib=6000000

lines_of() {
	sed -n "s/^ \* $1: //p" $here/"$2".c
}

# cbmc LOG HARNESS TREE OPTION...: the sources are those of a tree.
check() {
	log=$1
	harness=$2
	tree=$3
	shift 3
	files=
	for file in $(lines_of files "$harness"); do
		case $file in
		lib/*) files="$files $tree/$file" ;;
		*) files="$files $file" ;;
		esac
	done
	case " $files " in
	*lib/base/err.c*) ;;
	*) files="$files $here/sentences.c" ;;
	esac
	# shellcheck disable=SC2046,SC2086,SC3045
	(
		ulimit -v $memory_max_kib
		$cbmc -I include -I "$tree/lib" -I $here \
			-D_GNU_SOURCE $here/"$harness".c $here/libc.c $files \
			--unwinding-assertions \
			--pointer-overflow-check --object-bits 12 \
			--drop-unused-functions --no-array-field-sensitivity \
			$(lines_of options "$harness") "$@"
	) >"$log" 2>&1
}

# What has no body may return anything, which is meant of nondet_ alone; and a
# claim that no run gets to would be no claim.
is_proved() {
	grep -q '^VERIFICATION SUCCESSFUL' "$1" &&
		! grep 'no body for' "$1" | grep -qv nondet_
}

# job prove HARNESS NUMBER | job mutant HARNESS NUMBER
job() {
	kind=$1
	harness=$2
	number=$3
	log=$work/$harness.$kind$number.log
	case $kind in
	mutant)
		set -- "$(lines_of mutant "$harness" | sed -n "${number}p")"
		source=${1%% *}
		tree=$work/$harness.$kind$number
		rm -rf "$tree"
		mkdir -p "$tree"
		cp -R lib "$tree/"
		sed "${1#* }" "$source" >"$tree/$source"
		if cmp -s "$source" "$tree/$source"; then
			echo "NOT OK: $harness: no defect is made by: $1"
			return
		fi
		options=$({
			lines_of short "$harness"
			lines_of full "$harness"
		} | head -n 1)
		# shellcheck disable=SC2086
		check "$log" "$harness" "$tree" --stop-on-fail $options
		rm -rf "$tree"
		if grep -q '^VERIFICATION FAILED' "$log"; then
			echo "ok: $harness finds the defect $1"
		else
			echo "NOT OK: $harness does not find the defect $1"
		fi
		;;
	*)
		options=$(lines_of "$kind" "$harness" | sed -n "${number}p")
		# shellcheck disable=SC2086
		check "$log" "$harness" . $options
		# Of CPU, which says the same on a machine that has other work.
		times >"$log.times"
		seconds=$(awk -F '[ms ]' 'END { printf "%.1f", $1 * 60 + $2 }' \
			"$log.times")
		if is_proved "$log"; then
			claims=$(grep -c ': SUCCESS$' "$log")
			echo "ok: $harness holds, $claims claims, $seconds s of CPU" \
				"($options)"
		else
			grep -E 'FAILURE|rror|no body' "$log"
			tail -n 3 "$log"
			echo "NOT OK: $harness, see $log ($options)"
		fi
		;;
	esac
}

# The names of the jobs, one a line.
jobs_of() {
	kind=$1
	harness=$2
	count=$(lines_of "$kind" "$harness" | grep -c .)
	seq -f "$kind $harness %g" "$count"
}

all_jobs() {
	for harness; do
		if [ -n "${STLS_TEST_FULL:-}" ]; then
			jobs_of full "$harness"
			jobs_of mutant "$harness"
		else
			jobs_of short "$harness"
		fi
	done
	# So that it is seen on each run that one can fail.
	[ -n "${STLS_TEST_FULL:-}" ] || echo "mutant reply 1"
}

if [ "${1:-}" = --job ]; then
	cbmc=$2
	shift 2
	job "$@"
	exit
fi

mkdir -p $work
cbmc=$work/cbmc
if ! $cbmc --version >/dev/null 2>&1; then
	if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null
	then
		echo 'skipped: no CBMC, and no apt-get to fetch it'
		exit
	fi
	if ! sh $here/unpack.sh $work >$work/unpack.log 2>&1; then
		echo "skipped: CBMC cannot be fetched: $(tail -n 1 $work/unpack.log)"
		exit
	fi
fi
if [ $# = 0 ]; then
	# shellcheck disable=SC2046
	set -- $(grep -l '^ \* full: ' $here/*.c | sed 's|.*/||; s|\.c$||')
fi
for harness; do
	# What is not there would be taken for a proof with no runs.
	if [ ! -f $here/"$harness".c ] || [ -z "$(lines_of full "$harness")" ]
	then
		echo "NOT OK: there is no proof $harness"
		exit 64
	fi
done
echo "CBMC $($cbmc --version)"
all_jobs "$@" | xargs -P 2 -L 1 sh $here/run.sh --job $cbmc
