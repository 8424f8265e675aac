#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Unpack Debian's packages, with all that they need, into a directory that a
# process can chroot(2) to. Nothing is installed: no maintainer script runs, no
# user is added, and the mail server of this machine stays what it is.
#
# usage: unpack.sh DIR NEEDLESS SET...      makes DIR/root anew
#
# A SET is a list of packages that do not conflict. NEEDLESS is a pattern of
# grep -E for the names of archives that are left out.

set -eu
mkdir -p "$1"
dir=$(cd "$1" && pwd)
root=$dir/root
needless=$2
shift 2

# To the resolver nothing is installed, so it names the whole closure.
apt_get() {
	apt-get -q -y -o "Dir::State::status=$dir/status" \
		-o "Dir::Cache::archives=$dir/archives" \
		-o APT::Sandbox::User=root -o Debug::NoLocking=1 \
		-o APT::Keep-Downloaded-Packages=1 \
		--no-install-recommends --download-only install "$@"
}

download() {
	for set; do
		# shellcheck disable=SC2086
		apt_get $set || return
	done
}

rm -rf "${dir:?}"/*
mkdir -p "$dir/archives/partial" "$root"
: >"$dir/status"
# Lists that are missing, or name versions that are gone, are renewed once.
download "$@" || { apt-get -q update && download "$@"; }
for archive in "$dir"/archives/*.deb; do
	name=${archive##*/}
	printf '%s\n' "$name" | grep -Eq "$needless" ||
		dpkg-deb -x "$archive" "$root"
done
rm -rf "$dir/archives" "$root/usr/share/doc" "$root/usr/share/man" \
	"$root/usr/share/locale"

mkdir -p "$root/dev" "$root/etc" "$root/tmp" "$root/run" "$root/var/log"
chmod 1777 "$root/tmp"
mknod -m 666 "$root/dev/null" c 1 3
mknod -m 666 "$root/dev/random" c 1 8
mknod -m 666 "$root/dev/urandom" c 1 9
printf '127.0.0.1 localhost\n' >"$root/etc/hosts"
printf '%s: files\n' hosts passwd group services >"$root/etc/nsswitch.conf"
