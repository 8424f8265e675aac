#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Start real mail servers on loopback, send to them, stop them again. The
# servers need root, since they change their user; without it this is skipped.
#
# usage: run.sh      after the builds in build-gcc and build-clang

set -u
cd "$(dirname "$0")/../.." || exit 1
if [ "$(id -u)" != 0 ]; then
	echo 'skipped: real mail servers start only as root'
	exit 0
fi
sh tests/interop/unpack.sh build-servers || exit
exec python3 -B tests/interop/interop.py build-servers/root build-interop \
	build-gcc build-clang
