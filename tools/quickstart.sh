#!/bin/sh
# SPDX-License-Identifier: MIT
#
# From a fresh clone to a mail over verified TLS: install what is missing,
# build, start a server on this machine, send, and show what happened.
#
# usage: sh tools/quickstart.sh [--no-install]
#
# Nothing is asked and nothing is left outside of build/, but for packages
# that apt-get installs where this runs as root.

set -u
LC_ALL=C
export LC_ALL
exec </dev/null
cd "$(dirname "$0")/.." || exit 1

work=build/quickstart
sendmail=build/tools/sendmail-tls/sendmail-tls
sink=build/tools/smtp-sink-tls/smtp-sink-tls
sink_pid=
# A bare container may have no /etc/hosts; the certificate is for both.
host=localhost
getent hosts localhost >/dev/null 2>&1 || host=127.0.0.1

heading() {
	printf '\n== %s\n\n' "$*"
}

say() {
	printf '   %s\n' "$*"
}

indent() {
	sed 's/\r$//; s/^/   | /'
}

fail() {
	printf '\nquickstart: %s\n' "$*" >&2
	exit 1
}

stop_sink() {
	[ -n "$sink_pid" ] || return 0
	kill "$sink_pid" 2>/dev/null
	wait "$sink_pid" 2>/dev/null
	sink_pid=
}

trap stop_sink EXIT
trap 'exit 1' HUP INT TERM

# Show a command as it would be typed, then run it. Input is $input.
try() {
	printf '   $'
	for word; do
		case $word in
		*[!A-Za-z0-9@%+=:,./_-]*) printf " '%s'" "$word" ;;
		*) printf ' %s' "$word" ;;
		esac
	done
	if [ "$input" = /dev/null ]; then
		printf '\n'
	else
		printf ' < %s\n' "$input"
	fi
	"$@" <"$input" >"$work/output" 2>&1
	status=$?
	[ ! -s "$work/output" ] || indent <"$work/output"
	return $status
}

# --- what is needed ----------------------------------------------------------

missing_packages() {
	printf '%s\n' '#include <stdio.h>' | cc -x c -fsyntax-only - 2>/dev/null ||
		printf 'gcc libc6-dev '
	# Debian's meson asks dpkg-dev where libraries go. Without it they are
	# installed into lib64, in which neither ld.so nor pkg-config looks.
	command -v meson >/dev/null || printf 'meson dpkg-dev '
	command -v ninja >/dev/null || printf 'ninja-build '
	command -v pkg-config >/dev/null || printf 'pkg-config '
	pkg-config --exists 'gnutls >= 3.7.2' 2>/dev/null ||
		printf 'libgnutls28-dev '
	pkg-config --exists inih 2>/dev/null || printf 'libinih-dev '
}

install_packages() {
	DEBIAN_FRONTEND=noninteractive
	export DEBIAN_FRONTEND
	# shellcheck disable=SC2086 # a list of names
	log=$(apt-get -q update 2>&1 &&
		apt-get -q -y --no-install-recommends install $1 2>&1) || {
		printf '%s\n' "$log" >&2
		fail "apt-get cannot install: $1"
	}
}

provide() {
	heading 'What is needed: a C compiler, meson, ninja, GnuTLS, libinih'
	packages=$(missing_packages)
	if [ -z "$packages" ]; then
		say 'all there'
		return
	fi
	if [ "$may_install" = no ] || [ "$(id -u)" -ne 0 ] ||
		! command -v apt-get >/dev/null; then
		say 'missing, by the names of Debian and Ubuntu:'
		say "$packages"
		fail 'install these packages, then run this again'
	fi
	say "installing $packages"
	install_packages "$packages"
	packages=$(missing_packages)
	[ -z "$packages" ] || fail "still missing: $packages"
}

# --- build -------------------------------------------------------------------

build() {
	heading 'Building, in build/'
	if [ ! -f build/build.ninja ]; then
		# With the tests, if what they need is there: the folder is
		# the one in which people run them later.
		log=$(meson setup build 2>&1) ||
			log=$(meson setup build -Dtests=false 2>&1) || {
			printf '%s\n' "$log" >&2
			fail 'meson setup did not succeed'
		}
	fi
	log=$(ninja -C build tools/sendmail-tls/sendmail-tls \
		tools/smtp-sink-tls/smtp-sink-tls 2>&1) || {
		printf '%s\n' "$log" >&2
		fail 'the build did not succeed'
	}
	say 'built sendmail-tls, smtp-sink-tls and the library'
}

# --- a server ----------------------------------------------------------------

start_sink() {
	heading 'Starting a mail server, on this machine only'
	rm -rf "$work/mail" "$work/ports" || exit 1
	mkdir -p "$work" && mkfifo "$work/ports" || exit 1
	"$sink" --make-ca "$work/ca" --maildir "$work/mail" \
		--max-seconds 120 >"$work/ports" &
	sink_pid=$!
	read -r ports <"$work/ports"
	rm -f "$work/ports"
	smtp=${ports%% *}
	smtps=${ports##* }
	smtp=${smtp#smtp=}
	smtps=${smtps#smtps=}
	case $smtp$smtps in
	'' | *[!0-9]*) fail 'the server did not start' ;;
	esac
	say "smtp-sink-tls listens on port $smtp (STARTTLS) and $smtps (TLS)"
	say "its certificate is of a throwaway CA: $work/ca/ca.pem"
}

# --- a mail ------------------------------------------------------------------

probe() {
	heading 'Who is there? The connection, and how it was verified'
	input=/dev/null
	try "$sendmail" --probe --url "smtps://$host:$smtps" \
		--cafile "$work/ca/ca.pem" || fail 'the probe did not succeed'
}

write_mail() {
	input=$work/hello.txt
	cat >"$input" <<-'MAIL'
		From: Alice <alice@example.org>
		To: Bob <bob@example.org>
		Subject: hello over TLS

		Hello Bob,

		nobody on the way could read or change this.
	MAIL
}

send() {
	try "$sendmail" --url "$1" --cafile "$work/ca/ca.pem" \
		-f alice@example.org bob@example.org ||
		fail "the mail was not sent (status $?)"
	say 'sent'
}

send_mails() {
	write_mail
	heading 'Sending a mail, with TLS from the first byte'
	send "smtps://$host:$smtps"
	heading 'Sending it again, by STARTTLS, which is required'
	send "smtp://$host:$smtp"
}

# As if somebody had led the connection to mail.example.org to this machine.
be_refused() {
	heading 'And if another server answers in the place of the right one?'
	try "$sendmail" --url smtps://mail.example.org \
		--connect-to "127.0.0.1:$smtps" --cafile "$work/ca/ca.pem" \
		-f alice@example.org bob@example.org &&
		fail 'the mail was sent to a server with another name'
	say "not sent (status $status): nothing of the mail has left"
}

show_mail() {
	heading 'The mail as it arrived'
	count=0
	for file in "$work"/mail/new/*; do
		[ -f "$file" ] || continue
		count=$((count + 1))
		[ $count -gt 1 ] || indent <"$file"
	done
	[ $count -eq 2 ] || fail "2 mails were sent, $count arrived"
	printf '\n'
	say "both are in $work/mail/new"
}

# -----------------------------------------------------------------------------

may_install=yes
case ${1-} in
--no-install) may_install=no ;;
'') ;;
*)
	printf 'usage: sh tools/quickstart.sh [--no-install]\n' >&2
	exit 64
	;;
esac

provide
build
start_sink
probe
send_mails
be_refused
show_mail
stop_sink

heading 'It works. What next?'
say "send through your own server:"
say "  $sendmail --url smtps://mail.example.org \\"
say "      --user NAME --password-file FILE -f you@example.org \\"
say "      you@example.org < $work/hello.txt"
say 'read how:      man doc/man/sendmail-tls.1'
say 'write C:       doc/tutorial.md'
say 'run the tests: sh tests/run.sh'
