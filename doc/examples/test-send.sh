#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Test a program that sends one mail: that it arrives, and that the program
# gives nothing to a server that it has no reason to trust.
#
# usage: test-send.sh PROGRAM
#
# The program is run with two arguments, the URL of the server and the file of
# the CA to trust, and then with the URL alone.

set -eu
program=$1
work=$(mktemp -d)
sink=
clean_up() {
	[ -z "$sink" ] || { kill "$sink" && wait "$sink"; } 2>/dev/null || :
	rm -rf "$work"
}
trap clean_up EXIT

# The first line says the ports; once it is there, the server listens.
mkfifo "$work/ports"
smtp-sink-tls --make-ca "$work/ca" --maildir "$work/mail" \
	--stats "$work/stats" --max-seconds 60 >"$work/ports" &
sink=$!
read -r smtp _ <"$work/ports"
url=smtp://127.0.0.1:${smtp#smtp=}

"$program" "$url" "$work/ca/ca.pem"
if "$program" "$url"; then
	echo 'it trusts a server that nobody knows'
	exit 1
fi

# It writes the statistics when it ends.
kill "$sink"
wait "$sink"
sink=
grep '"messages"' "$work/stats"
cat "$work"/mail/new/*
