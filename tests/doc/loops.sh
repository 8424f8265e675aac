#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Run the examples with an event loop against smtp-sink-tls.
#
# usage: loops.sh SINK EPOLL LIBEV
#
# One that could not be built is the empty string. There may be no localhost.

set -eu
sink_program=$1
epoll=$2
libev=$3
work=$(mktemp -d)
sink=
clean_up() {
	[ -z "$sink" ] || kill "$sink" 2>/dev/null || :
	rm -rf "$work"
}
trap clean_up EXIT
ca=$work/ca/ca.pem

expect() {
	if [ "$1" != "$2" ]; then
		printf 'expected: %s\nprinted: %s\n' "$1" "$2"
		exit 1
	fi
}

mkfifo "$work/ports"
"$sink_program" --make-ca "$work/ca" --stats "$work/stats" --max-seconds 100 \
	>"$work/ports" &
sink=$!
read -r smtp smtps <"$work/ports"
smtp=${smtp#smtp=}
smtps=${smtps#smtps=}
messages=0

if [ -n "$epoll" ]; then
	expect '10 accepted, 0 failed' \
		"$("$epoll" "smtp://127.0.0.1:$smtp" "$ca")"
	expect '150 accepted, 0 failed' \
		"$("$epoll" smtps://localhost "$ca" 150 "127.0.0.1:$smtps")"
	# Each tells its own error, and all of them end.
	expect '0 accepted, 20 failed' "$("$epoll" smtps://mail.example.org \
		"$ca" 20 "127.0.0.1:$smtps" 2>"$work/errors" || :)"
	expect 20 "$(grep -c 'not mail.example.org' "$work/errors")"
	expect '0 accepted, 1 failed' "$("$epoll" smtps://localhost "$ca" 1 \
		mail.example.org:1 2>"$work/errors" || :)"
	expect '"mail.example.org:1" is no IP address with a port' \
		"$(cat "$work/errors")"
	messages=160
fi
if [ -n "$libev" ]; then
	expect 2 "$("$libev" "smtp://127.0.0.1:$smtp" "$ca" one two |
		grep -c '^accepted: ')"
	if "$libev" "smtp://127.0.0.2:$smtp" "$ca" one >"$work/out" 2>&1; then
		expect 'a failure' 'none'
	fi
	expect 1 "$(grep -c '^failed: connection to 127.0.0.2' "$work/out")"
	messages=$((messages + 2))
fi

# It writes the statistics when it ends.
kill "$sink"
wait "$sink"
sink=
expect "$messages" \
	"$(sed -n 's/^ *"messages": \([0-9]*\),$/\1/p' "$work/stats")"
