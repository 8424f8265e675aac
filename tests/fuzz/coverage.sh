#!/bin/sh
# SPDX-License-Identifier: MIT
#
# How much of the code that a target is about its corpus runs through: built by
# clang with counters, replayed, and summed up by llvm-cov for those files.
#
# usage: sh tests/fuzz/coverage.sh [--keep FOLDER] [target ...]
#
# With --keep, what run.sh has found and kept in FOLDER/TARGET is replayed too.

set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.." || exit 1
build="build-fuzz-coverage"
# Whatever else is run with counters, as meson does to try the compiler.
LLVM_PROFILE_FILE=$PWD/$build/other.profraw
export LLVM_PROFILE_FILE
keep=
targets=
while [ $# -gt 0 ]; do
	case $1 in
	--keep) keep=$2 && shift ;;
	-*)
		echo "no such option: $1" >&2
		exit 64
		;;
	*) targets="$targets $1" ;;
	esac
	shift
done

# The files that a target is about.
files_of() {
	tool=tools/sendmail-tls
	case $1 in
	address) echo lib/mail/address*.c lib/mail/lexer.c lib/name/host.c ;;
	aliases) echo $tool/message/aliases.c ;;
	capabilities) echo lib/smtp/capabilities.c ;;
	cert) echo lib/tls/der-walk.c lib/tls/hostname.c lib/tls/overrule.c \
		lib/tls/parts.c lib/tls/path.c lib/tls/peer-cert.c \
		lib/tls/plain.c lib/tls/rule*.c lib/tls/subtree.c \
		lib/tls/directory.c ;;
	names) echo lib/tls/der-walk.c lib/tls/directory.c lib/tls/subtree.c ;;
	command) echo lib/smtp/command.c lib/smtp/demands.c \
		lib/message-demands.c ;;
	compose) echo lib/mail/date.c lib/mail/display-name.c \
		lib/mail/message-id.c ;;
	config) echo $tool/config/parse.c $tool/settings/account.c \
		$tool/settings/apply.c ;;
	data) echo lib/smtp/data.c lib/smtp/octets*.[ch] ;;
	draft) echo $tool/message/draft.c lib/mail/header*.c \
		lib/mail/mbox.c lib/mail/submission.c ;;
	engine) echo lib/smtp/engine*.c lib/smtp/expected.c lib/smtp/reply.c \
		lib/smtp/transaction.c ;;
	netrc) echo $tool/credentials/netrc.c $tool/credentials/line.c ;;
	options) echo $tool/config/options.c $tool/settings/m*.c \
		$tool/settings/s*.c $tool/settings/table.c \
		$tool/settings/values.c $tool/serve/path.c ;;
	pem) echo lib/tls/source.c lib/tls/store*.c lib/tls/plain.c ;;
	reply) echo lib/smtp/reply.c ;;
	sasl) echo lib/sasl/*.c ;;
	server) echo $tool/serve/server.c $tool/serve/command.c \
		$tool/serve/content.c $tool/serve/path.c ;;
	spool) echo $tool/spool/file.c $tool/spool/record.c \
		$tool/spool/bounce.c ;;
	srv) echo $tool/probe/srv.c ;;
	text) echo lib/base/base64.c lib/base/err.c lib/base/utf8.c \
		lib/smtp/xtext.c lib/crypto/pin.c ;;
	url) echo lib/net/url.c lib/name/host.c ;;
	wire) echo $tool/submit/wire.c ;;
	esac
}

all_targets() {
	for file in tests/fuzz/fuzz-*.c; do
		name=${file##*/fuzz-}
		echo "${name%.c}"
	done
}

prepare() {
	if [ ! -f $build/build.ninja ]; then
		CC=clang CXX=clang++ meson setup $build -Dman=false \
			-Dc_args='-fprofile-instr-generate -fcoverage-mapping' \
			-Dc_link_args=-fprofile-instr-generate || return 1
	fi
	# shellcheck disable=SC2046
	ninja -j 2 -C $build $(for name in ${targets:-$(all_targets)}; do
		echo "tests/fuzz/replay-$name"
	done)
}

measure() {
	name=$1
	program=$build/tests/fuzz/replay-$name
	set -- "tests/fuzz/corpus/$name"
	[ -z "$keep" ] || [ ! -d "$keep/$name" ] || set -- "$@" "$keep/$name"
	if ! LLVM_PROFILE_FILE=$build/$name.profraw "$program" --mutants 0 \
		"$@" >/dev/null; then
		echo "NOT OK: $name"
		status=1
		return
	fi
	llvm-profdata merge -o "$build/$name.profdata" "$build/$name.profraw"
	llvm-cov report "$program" "-instr-profile=$build/$name.profdata" |
		awk -v name="$name" -v files=" $(files_of "$name") " '
		index(files, " " $1 " ") { lines += $8; missed += $9
			branches += $11; untaken += $12 }
		END { printf "ok: %s: %.1f %% of lines, %.1f %% of branches\n",
			name, 100 * (1 - missed / lines),
			100 * (1 - untaken / branches) }'
}

status=0
mkdir -p build-logs
if ! prepare >build-logs/fuzz-coverage.log 2>&1; then
	tail -n 40 build-logs/fuzz-coverage.log
	echo "NOT OK: it cannot be built"
	exit 1
fi
for target in ${targets:-$(all_targets)}; do
	measure "$target"
done
exit $status
