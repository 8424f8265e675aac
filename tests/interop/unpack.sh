#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Unpack Debian's mail servers into a directory that they can chroot(2) to.
#
# usage: unpack.sh DIR      makes DIR/root, unless it is there already

set -eu
mkdir -p "$1"
dir=$(cd "$1" && pwd)
root=$dir/root
[ ! -e "$dir/done" ] || exit 0

# Two sets: the packages of the second conflict with those of the first; the
# files of both that are used here do not.
# What is left out is what only maintainer scripts and the shell use.
sh "$(dirname "$0")/../unpack.sh" "$dir" \
	'^(adduser|cron|debconf|dpkg|e2fsprogs|passwd|perl|tar|usrmerge)[-_]' \
	'postfix dovecot-core dovecot-lmtpd' 'exim4-daemon-light'

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
touch "$dir/done"
