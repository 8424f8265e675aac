#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Unpack Debian's programs that send mail into a directory that they can
# chroot(2) to. There /usr/sbin/sendmail can be ours: they are what they are,
# and the machine's own is not touched.
#
# usage: unpack.sh DIR      makes DIR/root, unless it is there already

set -eu
mkdir -p "$1"
dir=$(cd "$1" && pwd)
root=$dir/root
[ ! -e "$dir/done" ] || exit 0

# msmtp-mta is for those that want any mail server; its place is taken.
# What is left out is what none of the calls comes to.
sh "$(dirname "$0")/../unpack.sh" "$dir" \
	'^(adduser|debconf|dirmngr|dpkg|git-man|gnupg|gpg|msmtp|passwd|pinentry|sysvinit|tar|usrmerge)' \
	's-nail bsd-mailx mutt alpine nmh git-email cron logwatch
	php8.2-cli python3 libemail-sender-perl libmime-lite-perl
	libmailtools-perl msmtp-mta libc-bin ncurses-base
	dash coreutils grep sed'

cat >"$root/etc/passwd" <<'END'
root:x:0:0:root:/root:/bin/sh
alice:x:64921:64921:Alice Example,,,:/home/alice:/bin/sh
sendmail-tls:x:64922:64922:Mail:/var/spool/sendmail-tls:/bin/false
nobody:x:65534:65534:nobody:/nonexistent:/bin/false
END
cat >"$root/etc/group" <<'END'
root:x:0:
mail:x:8:
crontab:x:64923:
alice:x:64921:
sendmail-tls:x:64922:
nogroup:x:65534:
END
printf '%s\n' /bin/sh >"$root/etc/shells"
# What a postinst makes of them.
mkdir -p "$root/etc/pam.d" "$root/var/spool/cron/crontabs"
for kind in auth account session; do
	printf '%s required pam_permit.so\n' $kind
done >"$root/etc/pam.d/cron"
cp "$root/etc/pam.d/cron" "$root/etc/pam.d/other"
[ -e "$root/bin/sh" ] || ln -s dash "$root/bin/sh"
mkdir -p "$root/home/alice" "$root/root" "$root/proc"
chown 64921:64921 "$root/home/alice"
touch "$dir/done"
