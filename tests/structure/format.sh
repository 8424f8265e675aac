#!/bin/sh
# SPDX-License-Identifier: MIT
#
# No line of the code is longer than 80 columns, and all is as clang-format
# leaves it, which lets comments be. Releases of clang-format differ, so only the
# one that the .clang-format was written for decides.
#
# usage: format.sh SOURCE_ROOT

set -u
cd "$1" || exit 1
code() {
	find include lib tools tests doc -name '*.[ch]' "$@"
}

# Columns, not octets: what continues a character of UTF-8 has none.
# shellcheck disable=SC2016
long=$(code -print0 | LC_ALL=C xargs -0 awk '{
	gsub(/[\200-\277]/, "")
	while ((tab = index($0, "\t")) > 0)
		$0 = sprintf("%s%*s%s", substr($0, 1, tab - 1),
			8 - (tab - 1) % 8, "", substr($0, tab + 1))
	if (length($0) > 80)
		print FILENAME ":" FNR ": " length($0) " columns"
}')
if [ -n "$long" ]; then
	printf '%s\n' "$long"
	exit 1
fi
for tool in clang-format-14 clang-format; do
	case $($tool --version 2>/dev/null) in
	*'version 14.'*)
		code -print0 | xargs -0 $tool --dry-run --Werror
		exit
		;;
	esac
done
echo 'no clang-format 14 here'
exit 77
