#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Have Debian's programs send mail with this command as their sendmail, and
# look at what arrives. They run in a root directory of their own, so root is
# needed; without it this is skipped.
#
# usage: run.sh      after the build in build-gcc

set -u
cd "$(dirname "$0")/../.." || exit 1
if [ "$(id -u)" != 0 ]; then
	echo 'skipped: programs with a sendmail of their own run only as root'
	exit 0
fi
sh tests/callers/unpack.sh build-callers || exit
exec python3 -B tests/callers/callers.py build-callers/root build-gcc
