#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The library compiles as a distribution would compile it, by both compilers,
# and with the commands against the headers of musl. There is no GnuTLS for musl
# in Debian, so that is as far as it goes there: its headers, and those of inih
# and of the kernel, are those of the system. And the scripts run in any POSIX
# shell.
#
# usage: run.sh      after the build in build-gcc, whose version.h it takes

set -u
cd "$(dirname "$0")/../.." || exit 1
work=build-portable
rm -rf $work
mkdir -p $work/include || exit
ln -s "$(pkg-config --variable=includedir gnutls)/gnutls" $work/include/

find lib -name '*.c' | sort >$work/sources
count=$(wc -l <$work/sources)

# compile LABEL COMPILER...: every file of the library, two at a time.
compile() {
	label=$1
	shift
	if xargs -P 2 -n 1 "$@" -std=gnu11 -D_GNU_SOURCE -Wall -Wextra \
		-Werror -I lib -I include -I build-gcc/include \
		-isystem $work/include <$work/sources &&
		[ "$count" -gt 10 ]; then
		echo "ok: $label compiles $count files without a warning"
	else
		echo "NOT OK: $label, see above"
	fi
}

fortify='-O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -c -o /dev/null'
# shellcheck disable=SC2086
compile 'gcc with _FORTIFY_SOURCE' gcc $fortify
# shellcheck disable=SC2086
compile 'clang with _FORTIFY_SOURCE' clang $fortify
if command -v musl-gcc >/dev/null; then
	# The keyring helper is GLib's, and would need all of that.
	find lib tools -name '*.c' ! -path 'tools/keyring/*' \
		! -name narrow-openbsd.c | sort >$work/sources
	count=$(wc -l <$work/sources)
	for name in ini.h linux asm-generic "$(gcc -print-multiarch)/asm"; do
		ln -s "/usr/include/$name" $work/include/
	done
	# It is about the headers: nothing comes of it.
	compile 'gcc with the headers of musl' musl-gcc -fsyntax-only \
		-I tools -I tools/sendmail-tls -I tools/smtp-sink-tls \
		-DSMTPTLS_SYSCONFDIR='"/etc"' -DSMTPTLS_KEYRING_HELPER='"/x"'
else
	echo 'skipped: there is no musl-gcc'
fi

if ! command -v shellcheck >/dev/null; then
	echo 'skipped: there is no shellcheck'
elif find .ci doc tools tests \( -name '*.sh' -o -path .ci/run \) -print0 |
	xargs -0 shellcheck; then
	echo 'ok: shellcheck has nothing to say'
else
	echo 'NOT OK: shellcheck, see above'
fi
