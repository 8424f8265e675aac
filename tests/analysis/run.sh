#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What protects the programs that are built, and what analysers say of the
# sources. With STLS_TEST_FULL also the ways in which others build, all files,
# and clang-tidy; see doc/assurance.md.
#
# usage: run.sh      after the build in build-gcc

set -u
cd "$(dirname "$0")/../.." || exit 1
here=tests/analysis
work=build-analysis
full=${STLS_TEST_FULL:-}
parsers='lib/base lib/mail lib/name lib/net lib/sasl lib/smtp'
rm -rf $work
mkdir -p $work || exit

# verdict SENTENCE: of the command before, whose output is in $work/out.
verdict() {
	if [ $? = 0 ]; then
		echo "ok: $1"
	else
		cat $work/out
		echo "NOT OK: $1"
	fi
}

# refuted SENTENCE: it must have failed.
refuted() {
	if [ $? = 0 ]; then
		echo "NOT OK: $1"
	else
		echo "ok: $1"
	fi
}

has() {
	command -v "$1" >/dev/null && return 0
	echo "skipped: there is no $1"
	return 1
}

# --- programs ----------------------------------------------------------------

for compiler in gcc clang; do
	python3 $here/checksec.py --self-test $compiler >$work/out 2>&1
	verdict "a program of $compiler that lacks a protection is told"
done

checksec() {
	python3 $here/checksec.py "$@" >$work/out 2>&1
}

checksec build-gcc/lib/libsmtptls.so.0 \
	build-gcc/tools/sendmail-tls/sendmail-tls \
	build-gcc/tools/smtp-sink-tls/smtp-sink-tls
verdict 'what build-gcc has made is protected'

# installed LABEL CHECKSEC-OPTION MESON-OPTION...: a build of its own.
installed() {
	label=$1
	option=$2
	shift 2
	dir=$work/$label
	if ! { meson setup "$dir" --prefix=/usr -Dtests=false -Dman=false "$@" &&
		ninja -j 2 -C "$dir" &&
		DESTDIR="$PWD/$dir/root" meson install -C "$dir" \
			--no-rebuild; } >$work/out 2>&1; then
		false
		verdict "a build of $label"
		return
	fi
	find "$dir/root" -type f \( -name 'libsmtptls.so*' -o \
		-path '*/bin/*' -o -name sendmail-tls-keyring \) >$work/files
	# The keyring helper has no array, and is of its libraries' symbols.
	# shellcheck disable=SC2046,SC2086
	checksec $option $(grep -v keyring $work/files)
	verdict "what $label installs is protected"
	if grep -q keyring $work/files; then
		# shellcheck disable=SC2046
		checksec --release $(grep keyring $work/files)
		verdict "the keyring helper of $label is protected"
	fi
}

if [ -n "$full" ]; then
	installed default ''
	installed release '' --buildtype=release
	installed stripped --release --buildtype=release --strip
	CFLAGS=-O2 installed plain --release --buildtype=plain
	CC=clang installed clang ''
fi

# --- sources -----------------------------------------------------------------

python3 $here/commands.py build-gcc $work/db >$work/out 2>&1
verdict 'each file that is compiled has its command'

cppcheck_of() {
	cppcheck -q -j 2 --std=c11 -D_GNU_SOURCE -D__GNUC__=12 \
		--enable=warning,style,performance,portability --inline-suppr \
		--suppressions-list=$here/cppcheck.txt --error-exitcode=1 \
		-I lib -I include -I tools -I tools/sendmail-tls \
		-I tools/smtp-sink-tls "$@" >$work/out 2>&1
}
if has cppcheck; then
	cppcheck_of lib tools
	verdict 'cppcheck has nothing to say'
	cppcheck_of $here/bad.c
	refuted 'cppcheck has something to say where it should'
fi

# shellcheck disable=SC2086
python3 $here/analyzer.py $work/db 2 ${full:+lib tools} $parsers \
	>$work/out 2>&1
verdict "gcc -fanalyzer has nothing to say: $(tail -n 1 $work/out)"
! gcc -O2 -fanalyzer -c -o /dev/null $here/bad.c 2>&1 |
	grep -q Wanalyzer
refuted 'gcc -fanalyzer has something to say where it should'

if [ -n "$full" ] && has run-clang-tidy && has clang-tidy; then
	run-clang-tidy -quiet -j 2 -p $work/db >$work/out 2>&1
	verdict 'clang-tidy has nothing to say'
	clang-tidy -quiet $here/bad.c -- >$work/out 2>&1
	refuted 'clang-tidy has something to say where it should'
fi
