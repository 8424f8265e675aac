#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Run the program of the README as it stands, against smtp-sink-tls: what it
# sends arrives, and nothing leaves where the CA is another one.
#
# usage: readme.sh PROGRAM SINK MAKE_CERTS

set -eu
program=$1
sink=$2
make_certs=$3
if ! command -v certtool >/dev/null; then
	echo 'there is no certtool'
	exit 77
fi
work=$(mktemp -d)
pid=
clean_up() {
	[ -z "$pid" ] || kill "$pid" 2>/dev/null || :
	rm -rf "$work"
}
trap clean_up EXIT

fail() {
	echo "$*"
	cat "$work/err"
	exit 1
}

sh "$make_certs" "$work/pki" mail.example.org
sh "$make_certs" "$work/other" mail.example.org
mkfifo "$work/ports"
"$sink" --cert "$work/pki/server.pem" --key "$work/pki/server-key.pem" \
	--maildir "$work/mail" --max-seconds 60 >"$work/ports" &
pid=$!
read -r smtp _ <"$work/ports"
TEST_PORT=${smtp#smtp=}
export TEST_PORT

if TEST_CA=$work/other/ca.pem "$program" 2>"$work/err"; then
	fail 'it ends with 0 though nothing was sent'
fi
grep -q 'certificate of mail.example.org is issued by' "$work/err" ||
	fail 'a CA that is not trusted is not refused'
[ -z "$(find "$work/mail" -type f)" ] || fail 'something left'

TEST_CA=$work/pki/ca.pem "$program" 2>"$work/err" || fail 'it is not sent'
[ ! -s "$work/err" ] || fail 'it complains'
grep -q '^X-Envelope-To: <ops@example.org>' "$work"/mail/new/* ||
	fail 'it has not arrived'
echo 'the program of the README works as it stands'
