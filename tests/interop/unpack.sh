#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Unpack Debian's mail servers, with all that they need, into a directory that
# a process can chroot(2) to. Nothing is installed: no maintainer script runs,
# no user is added, and the mail server of this machine stays what it is.
#
# usage: unpack.sh DIR      makes DIR/root, unless it is there already

set -eu
mkdir -p "$1"
dir=$(cd "$1" && pwd)
root=$dir/root
[ ! -e "$dir/done" ] || exit 0

# Two sets: the packages of the second conflict with those of the first; the
# files of both that are used here do not.
set_1='postfix dovecot-core dovecot-lmtpd'
set_2='exim4-daemon-light'
# What only maintainer scripts and the shell use.
needless='^(adduser|cron|debconf|dpkg|e2fsprogs|passwd|perl|tar|usrmerge)[-_]'

# To the resolver nothing is installed, so it names the whole closure.
apt_get() {
	apt-get -q -y -o "Dir::State::status=$dir/status" \
		-o "Dir::Cache::archives=$dir/archives" \
		-o APT::Sandbox::User=root -o Debug::NoLocking=1 \
		-o APT::Keep-Downloaded-Packages=1 \
		--no-install-recommends --download-only install "$@"
}

download() {
	# shellcheck disable=SC2086
	apt_get $set_1 && apt_get $set_2
}

rm -rf "${dir:?}"/*
mkdir -p "$dir/archives/partial" "$root"
: >"$dir/status"
# Lists that are missing, or name versions that are gone, are renewed once.
download || { apt-get -q update && download; }
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

# Users of their own: the numbers mean nothing outside.
cat >"$root/etc/passwd" <<'END'
root:x:0:0:root:/root:/bin/false
postfix:x:64901:64901::/:/bin/false
dovecot:x:64903:64903::/:/bin/false
dovenull:x:64904:64904::/:/bin/false
Debian-exim:x:64905:64905::/:/bin/false
mailbox:x:64906:64906::/:/bin/false
nobody:x:65534:65534:nobody:/:/bin/false
END
cat >"$root/etc/group" <<'END'
root:x:0:
postfix:x:64901:
postdrop:x:64902:
dovecot:x:64903:
dovenull:x:64904:
Debian-exim:x:64905:
mailbox:x:64906:
nogroup:x:65534:
END
printf '127.0.0.1 localhost\n' >"$root/etc/hosts"
printf '%s: files\n' hosts passwd group services >"$root/etc/nsswitch.conf"
touch "$dir/done"
