#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Each public header compiles alone, without a warning, with nothing but the
# language and POSIX around it.
#
# usage: headers.sh c|c++ HEADER_DIR GENERATED_DIR COMPILER...

set -u
language=$1
headers=$2
generated=$3
shift 3

case $language in
c) set -- "$@" -x c -std=c99 -D_POSIX_C_SOURCE=200809L -Wstrict-prototypes ;;
c++) set -- "$@" -x c++ -std=c++11 ;;
esac

failed=0
count=0
for header in "$headers"/*.h "$generated"/*.h; do
	count=$((count + 1))
	echo "#include <smtptls/${header##*/}>" | "$@" -pedantic -Wall -Wextra \
		-Werror -Wundef -Wshadow -fsyntax-only \
		-I "$headers/.." -I "$generated/.." - || {
		echo "$header does not stand alone"
		failed=1
	}
done
[ $count -ge 7 ] || {
	echo "only $count headers found"
	failed=1
}
exit $failed
