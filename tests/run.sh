#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Build every variant and run everything: the unit tests by two compilers,
# under the sanitizers and under Valgrind, the installed library, and real
# servers on loopback. The last line is `N passed, N failed`.
#
# usage: sh tests/run.sh [--full] [--no-install] [part ...]
#
# Parts: gcc clang valgrind portable install interop callers load analysis
# proofs coverage; without one, all of them. --full also does what takes longer
# than the budget: Valgrind with the slow programs, the sanitizers with each row
# in every mode, tests that look for STLS_TEST_FULL, and the part fuzz. What is
# missing is installed by apt-get where this runs as root, else it is named.
# Nothing is left outside of build-*/, no service is started.

set -u
LC_ALL=C
# Whatever a sanitizer finds is a failure.
ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1
UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
export LC_ALL ASAN_OPTIONS UBSAN_OPTIONS
exec </dev/null
cd "$(dirname "$0")/.." || exit 1

all_parts='gcc clang valgrind portable install interop callers load analysis'
all_parts="$all_parts proofs coverage"
# Only with --full, or by its name.
long_parts='fuzz'
total_budget=900

# What a bare Debian 12 needs. The servers of the interop part and the programs
# of the callers part are not among them: they are unpacked into a private
# directory, because to install one would remove the mail server this machine
# may have.
packages='gcc g++ libc6-dev clang libclang-rt-dev llvm clang-format
meson ninja-build pkg-config python3 libgnutls28-dev libinih-dev check
libsecret-1-dev
valgrind libc6-dbg lld libcurl4-gnutls-dev openssl gnutls-bin ca-certificates
faketime libunistring-dev libev-dev mandoc musl-tools shellcheck softhsm2
binutils clang-tidy cppcheck gcovr'

passed=0
failed=0
skipped=0

say() {
	printf '%s\n' "$*"
}

budget_of() {
	case $1 in
	gcc) echo 170 ;;
	clang) echo 260 ;;
	valgrind) echo 120 ;;
	portable) echo 60 ;;
	install) echo 60 ;;
	interop) echo 150 ;;
	callers) echo 60 ;;
	fuzz) echo 1800 ;;
	analysis) echo 60 ;;
	load) echo 40 ;;
	proofs) echo 60 ;;
	coverage) echo 110 ;;
	esac
}

good() {
	passed=$((passed + 1))
	say "ok: $*"
}

bad() {
	failed=$((failed + 1))
	say "NOT OK: $*" | tee -a build-logs/failed.log
}

# COMMAND | remember WHERE: it tells what went wrong, is printed now, and again
# next to the end, for who sees the end alone.
remember() {
	{
		say "--- $1"
		cat
	} | tee -a build-logs/failed.log
}

# --- what is missing -------------------------------------------------------

missing_packages() {
	for package in $packages; do
		dpkg-query -W -f '${Status}' "$package" 2>/dev/null |
			grep -q ' installed$' || printf '%s ' "$package"
	done
}

# Packages that are installed start no daemon: policy-rc.d says so, for as
# long as this runs, unless the machine has one of its own.
install_packages() {
	policy=/usr/sbin/policy-rc.d
	made=no
	if [ ! -e $policy ]; then
		printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy &&
			made=yes
	fi
	# A list that is some days old names versions that are gone.
	DEBIAN_FRONTEND=noninteractive apt-get -q update &&
		DEBIAN_FRONTEND=noninteractive apt-get -q -y \
			--no-install-recommends install "$@"
	status=$?
	[ $made = yes ] && rm -f $policy
	return $status
}

install_missing() {
	if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null
	then
		say "no apt-get here: the packages are taken as installed"
		return 0
	fi
	missing=$(missing_packages)
	[ -z "$missing" ] && return 0
	say "missing packages: $missing"
	if [ "$install" = no ] || [ "$(id -u)" != 0 ]; then
		say "install them, as root: apt-get install $missing"
		return 1
	fi
	# shellcheck disable=SC2086
	if ! install_packages $missing >build-logs/apt.log 2>&1; then
		tail -n 20 build-logs/apt.log | remember build-logs/apt.log
		return 1
	fi
}

# --- building and meson test -----------------------------------------------

# A tree that was set up before is used again, with these very options.
configure() {
	dir=$1
	compilers="CC=$2 CXX=$3${linker:+ CC_LD=$linker}"
	shift 3
	if [ -f "$dir/build.ninja" ]; then
		meson setup --reconfigure "$dir" "$@" && return 0
		rm -rf "$dir"
	fi
	# shellcheck disable=SC2086
	env $compilers meson setup "$dir" "$@"
}

# build DIR CC CXX OPTION...: one check, its log is shown only if it fails, and
# that only once.
build() {
	case $broken in
	*$1*) return 1 ;;
	esac
	log=build-logs/$1.log
	if configure "$@" >"$log" 2>&1 && ninja -j 2 -C "$1" >>"$log" 2>&1
	then
		good "$1 is built without a warning"
		return 0
	fi
	tail -n 60 "$log" | remember "$log"
	bad "$1 cannot be built"
	broken="$broken $1"
	return 1
}

# The sum at the end of what `meson test` prints, in one line.
meson_sum() {
	awk -F: '
		/^Ok:|^Expected Fail:/ { ok += $2; seen = 1 }
		/^Fail:|^Unexpected Pass:|^Timeout:/ { bad += $2 }
		/^Skipped:/ { skip += $2 }
		END { if (seen) print ok + 0, bad + 0, skip + 0 }' "$1"
}

# meson_test DIR LABEL SETUP: each test of meson is one check.
meson_test() {
	dir=$1
	label=$2
	setup=$3
	log=build-logs/$label.test.log
	# More than two processors can run: some tests only wait.
	meson test -C "$dir" --no-rebuild --num-processes 3 --setup "$setup" \
		>"$log" 2>&1
	status=$?
	sum=$(meson_sum "$log")
	# shellcheck disable=SC2086
	set -- ${sum:-0 0 0}
	if [ "$2" != 0 ]; then
		recorded=$dir/meson-logs/testlog-$setup
		{
			python3 tests/failures.py "$recorded.json" 2>&1 ||
				tail -n 60 "$log"
		} | remember "$recorded.txt"
	elif [ "$status" != 0 ]; then
		tail -n 60 "$log" | remember "$log"
		bad "meson test in $dir ends with status $status"
	elif [ "$1" = 0 ]; then
		bad "meson test in $dir ran nothing"
	fi
	passed=$((passed + $1))
	failed=$((failed + $2))
	skipped=$((skipped + $3))
	say "meson test ($label): $1 passed, $2 failed, $3 skipped"
	[ "$3" = 0 ] || grep ' SKIP ' "$log"
}

# Several parts want a build; it is made and counted once.
build_gcc() {
	case $built in
	*gcc*) return 0 ;;
	esac
	linker=
	build build-gcc gcc g++ -Doptimization=3 -Ddebug=true --werror &&
		built="$built gcc"
}

build_clang() {
	case $built in
	*clang*) return 0 ;;
	esac
	# In half of the time of ld, two hundred times. What is installed, and
	# looked at by others, is linked by ld, in the build of gcc.
	command -v ld.lld >/dev/null && linker=lld
	build build-clang clang clang++ --buildtype=debugoptimized --werror \
		-Db_sanitize=address,undefined -Db_lundef=false &&
		built="$built clang"
}

part_gcc() {
	build_gcc && meson_test build-gcc gcc patient
}

part_clang() {
	build_clang && meson_test build-clang clang "sanitized$full"
}

part_valgrind() {
	build_gcc && meson_test build-gcc valgrind "valgrind$full"
}

# --- parts that live in files of their own ---------------------------------

# A script that prints lines `ok: ...`, `NOT OK: ...` and `skipped: ...`.
run_script() {
	script=$1
	log=build-logs/$(basename "$(dirname "$script")").log
	sh "$script" >"$log" 2>&1
	status=$?
	grep -E '^(ok|NOT OK|skipped): ' "$log"
	ok=$(grep -c '^ok: ' "$log")
	not_ok=$(grep -c '^NOT OK: ' "$log")
	passed=$((passed + ok))
	failed=$((failed + not_ok))
	skipped=$((skipped + $(grep -c '^skipped: ' "$log")))
	if [ "$status" != 0 ] || [ "$not_ok" != 0 ]; then
		tail -n 60 "$log" | remember "$log"
		# Some may stand further up.
		grep '^NOT OK: ' "$log" >>build-logs/failed.log
	fi
	if [ "$status" != 0 ] && [ "$not_ok" = 0 ]; then
		bad "$script ends with status $status"
	elif [ "$ok" = 0 ] && [ "$not_ok" = 0 ] && [ "$status" = 0 ] &&
		! grep -q '^skipped: ' "$log"; then
		bad "$script checked nothing"
	fi
}

# --- main ------------------------------------------------------------------

run_part() {
	budget=$(budget_of "$1")
	began=$(date +%s)
	say "== $1"
	case $1 in
	gcc) part_gcc ;;
	clang) part_clang ;;
	valgrind) part_valgrind ;;
	fuzz | proofs | coverage) run_script "tests/$1/run.sh" ;;
	analysis | callers | load) build_gcc && run_script "tests/$1/run.sh" ;;
	*) build_gcc && build_clang && run_script "tests/$1/run.sh" ;;
	esac
	used=$(($(date +%s) - began))
	note=
	[ $used -le "$budget" ] || note=', OVER ITS BUDGET'
	times="$times$(printf '%-9s %4d s of %d s%s' "$1" $used "$budget" \
		"$note")
"
}

finish() {
	used=$(($(date +%s) - start))
	if [ -s build-logs/failed.log ]; then
		say "== what failed"
		cat build-logs/failed.log
		say "== in short"
		grep '^NOT OK: ' build-logs/failed.log | sort -u
	fi
	say "== time used"
	printf '%s' "$times"
	printf '%-9s %4d s of %d s\n' total $used $total_budget
	[ $skipped = 0 ] || say "$skipped skipped"
	say "$passed passed, $failed failed"
	[ $failed = 0 ] && [ $passed != 0 ]
	exit
}

install=yes
full=
built=
broken=
linker=
parts=
times=
start=$(date +%s)
for arg; do
	case $arg in
	--full)
		full=full
		export STLS_TEST_FULL=1
		;;
	--no-install) install=no ;;
	-h | --help)
		sed -n '4,/^$/s/^# \{0,1\}//p' "$0"
		exit 0
		;;
	*)
		case " $all_parts $long_parts " in
		*" $arg "*) parts="$parts $arg" ;;
		*)
			say "no such part or option: $arg" >&2
			exit 64
			;;
		esac
		;;
	esac
done

mkdir -p build-logs
: >build-logs/failed.log
if ! install_missing; then
	bad "packages are missing"
	finish
fi
[ -z "$full" ] || all_parts="$all_parts $long_parts"
for part in ${parts:-$all_parts}; do
	run_part "$part"
done
finish
