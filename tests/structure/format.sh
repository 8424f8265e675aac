#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The code is as clang-format leaves it. Releases of clang-format differ, so
# only the one that the .clang-format was written for decides.
#
# usage: format.sh SOURCE_ROOT

set -u
cd "$1" || exit 1
for tool in clang-format-14 clang-format; do
	case $($tool --version 2>/dev/null) in
	*'version 14.'*)
		find include lib tools tests doc -name '*.[ch]' -print0 |
			xargs -0 $tool --dry-run --Werror
		exit
		;;
	esac
done
echo 'no clang-format 14 here'
exit 77
