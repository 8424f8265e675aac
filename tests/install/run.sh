#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Use the library as a stranger does: installed into an empty directory and
# found by pkg-config alone, shared and static, and as a meson subproject. The
# program is doc/examples/send.c, and it sends a mail each time. Then the first
# command of the README, in a fresh copy of the tree.
#
# usage: run.sh      after the build in build-gcc, whose smtp-sink-tls it takes

# Most functions are called by check.
# shellcheck disable=SC2317

set -u
cd "$(dirname "$0")/../.." || exit 1
top=$PWD
work=$top/build-install
sink=$top/build-gcc/tools/smtp-sink-tls/smtp-sink-tls
failed=0
# A bare container may have no /etc/hosts; the certificate has both.
host=localhost
getent hosts localhost >/dev/null 2>&1 || host=127.0.0.1

# check TEXT COMMAND...: one check; what the command says is shown if it fails.
check() {
	text=$1
	shift
	if "$@" >"$work/log" 2>&1; then
		echo "ok: $text"
	else
		cat "$work/log"
		echo "NOT OK: $text"
		failed=1
		return 1
	fi
}

build_tree() {
	meson setup "$work/build" --prefix=/usr/local --libdir=lib \
		--buildtype=release --werror -Dtests=false \
		-Dsystemd=enabled &&
		ninja -j 2 -C "$work/build" &&
		DESTDIR=$work/shared meson install -C "$work/build"
}

# What a package of the library has, and nothing that was not asked for.
tree_is_complete() {
	(
		cd "$work/shared/usr/local" || exit 1
		for file in include/smtptls/smtptls.h include/smtptls/version.h \
			lib/libsmtptls.so lib/libsmtptls.so.0 lib/libsmtptls.a \
			lib/pkgconfig/smtptls.pc bin/sendmail-tls \
			bin/smtp-sink-tls share/man/man1/sendmail-tls.1 \
			share/man/man1/smtp-sink-tls.1 share/man/man3/smtptls.3
		do
			[ -e "$file" ] || { echo "no $file" && exit 1; }
		done
		[ -z "$(find . -name '*test*' -o -name '*.[ch]' \
			! -path './include/smtptls/*')" ]
	)
}

units_are_installed() {
	(
		cd "$work/shared/usr/local/lib" || exit 1
		for file in systemd/system/sendmail-tls-submit.socket \
			systemd/system/sendmail-tls-submit@.service \
			systemd/system/sendmail-tls-queue.service \
			systemd/system/sendmail-tls-queue.timer \
			systemd/system/sendmail-tls-queue.path \
			systemd/user/sendmail-tls-queue.service \
			systemd/user/sendmail-tls-queue.timer \
			systemd/user/sendmail-tls-queue.path \
			sysusers.d/sendmail-tls.conf tmpfiles.d/sendmail-tls.conf
		do
			[ -f "$file" ] || { echo "no $file" && exit 1; }
		done
		for file in systemd/*/*.service; do
			grep -q '^ExecStart=/usr/local/bin/sendmail-tls ' "$file" ||
				{ echo "$file starts something else" && exit 1; }
		done
	)
}

# Only who asks for the names of the machine's sendmail gets them.
names_are_not_installed() {
	[ -z "$(find "$work/shared" -name sendmail -o -name mailq \
		-o -name newaliases)" ]
}

names_are_installed() {
	meson configure "$work/build" -Dsendmail_links=true \
		-Dsystemd=disabled -Dsystemdunitdir=/nowhere &&
		DESTDIR=$work/named meson install -C "$work/build" || return
	for name in sbin/sendmail lib/sendmail bin/mailq bin/newaliases; do
		[ "$(readlink "$work/named/usr/local/$name")" = \
			/usr/local/bin/sendmail-tls ] ||
			{ echo "$name leads elsewhere" && return 1; }
	done
	[ -z "$(find "$work/named" -name '*.service')" ] &&
		[ ! -e "$work/named/nowhere" ]
}

# The build folder is not in what is installed.
nothing_points_back() {
	! grep -rl "$work/build" "$work/shared"
}

# What pkg-config says about the tree of $1, with the other arguments.
flags() {
	tree=$1
	shift
	PKG_CONFIG_SYSROOT_DIR=$tree \
		PKG_CONFIG_PATH=$tree/usr/local/lib/pkgconfig \
		pkg-config "$@" smtptls
}

compile() {
	out=$1
	tree=$2
	shift 2
	# shellcheck disable=SC2046
	cc -std=c99 -Wall -Wextra -Werror -o "$out" doc/examples/send.c \
		$(flags "$tree" "$@" --cflags --libs)
}

# The same tree without the shared library: -lsmtptls means the archive.
static_tree() {
	cp -R "$work/shared" "$work/static" &&
		rm "$work"/static/usr/local/lib/libsmtptls.so*
}

needs() {
	objdump -p "$1" | grep -q "NEEDED.*$2"
}

needs_no_library() {
	! needs "$1" libsmtptls
}

subproject() {
	mkdir -p "$work/program/subprojects"
	ln -s "$top" "$work/program/subprojects/smtptls"
	cp doc/examples/send.c "$work/program/"
	cat >"$work/program/meson.build" <<'END'
project('program', 'c')
executable('send', 'send.c', dependencies: dependency('smtptls', fallback: 'smtptls'))
END
	meson setup "$work/program/build" "$work/program" \
		-Dsmtptls:tests=false -Dsmtptls:tools=false &&
		ninja -j 2 -C "$work/program/build"
}

# The first line of the sink says its ports; it ends by itself.
start_sink() {
	mkfifo "$work/ports"
	"$sink" --smtp 0 --smtps 0 --make-ca "$work/ca" \
		--maildir "$work/mail" --max-seconds 60 >"$work/ports" \
		2>"$work/sink.log" &
	sink_pid=$!
	exec 3<"$work/ports"
	read -r line <&3
	echo "sink: $line"
	smtp=$(echo "$line" | sed -n 's/.*smtp=\([0-9]*\).*/\1/p')
	smtps=$(echo "$line" | sed -n 's/.*smtps=\([0-9]*\).*/\1/p')
	[ -n "$smtp" ] && [ -n "$smtps" ]
}

stop_sink() {
	[ -n "$sink_pid" ] && kill "$sink_pid" 2>/dev/null
	wait
}

sends() {
	LD_LIBRARY_PATH=$1 "$2" "$3" "$work/ca/ca.pem" &&
		[ -n "$(find "$work/mail" -type f)" ] &&
		grep -rq '^Nobody on the way' "$work/mail" &&
		find "$work/mail" -type f -delete
}

# Without the CA nothing is sent.
refuses_a_stranger() {
	! LD_LIBRARY_PATH=$work/shared/usr/local/lib "$work/send-shared" \
		"smtps://$host:$smtps" &&
		[ -z "$(find "$work/mail" -type f)" ]
}

send_all() {
	lib=$work/shared/usr/local/lib
	check 'the shared library sends by STARTTLS' \
		sends "$lib" "$work/send-shared" "smtp://$host:$smtp"
	check 'the shared library sends by implicit TLS' \
		sends "$lib" "$work/send-shared" "smtps://$host:$smtps"
	check 'the static library sends' \
		sends '' "$work/send-static" "smtps://$host:$smtps"
	check 'the subproject sends' \
		sends '' "$work/program/build/send" "smtps://$host:$smtps"
	check 'an unknown CA is refused' refuses_a_stranger
}

fresh_copy() {
	mkdir "$work/fresh" &&
		tar -cf "$work/tree.tar" --exclude='./build*' --exclude=./.git . &&
		tar -xf "$work/tree.tar" -C "$work/fresh" &&
		listing >"$work/before"
}

listing() {
	(cd "$work/fresh" && find . -path ./build -prune -o -type f -print |
		sort)
}

# It sends two mails, shows the second, and leaves nothing but build/.
quickstart() {
	sh "$work/fresh/tools/quickstart.sh" --no-install >"$work/out" 2>&1 &&
		grep -q '^   | X-Envelope-To: <bob@example.org>' "$work/out" &&
		grep -q '^   not sent (status 76)' "$work/out" &&
		grep -q '^== It works' "$work/out" &&
		listing | cmp -s - "$work/before" && return
	cat "$work/out"
	return 1
}

sink_pid=
trap stop_sink EXIT
trap 'exit 1' INT TERM
rm -rf "$work"
mkdir -p "$work"
check 'meson install into an empty directory' build_tree || exit
check 'everything is installed' tree_is_complete
check 'the units are installed, and start what is installed' \
	units_are_installed
check 'no name of sendmail is installed by itself' names_are_not_installed
check 'the names of sendmail are installed where that is asked for' \
	names_are_installed
check 'nothing that is installed points to the build' nothing_points_back
check 'pkg-config is enough for the shared library' \
	compile "$work/send-shared" "$work/shared"
check 'the program needs the shared library' \
	needs "$work/send-shared" 'libsmtptls.so.0$'
check 'a copy without the shared library' static_tree
check 'pkg-config --static is enough for the archive' \
	compile "$work/send-static" "$work/static" --static
check 'the program needs no shared library' \
	needs_no_library "$work/send-static"
check 'the library works as a subproject' subproject
check 'smtp-sink-tls starts' start_sink && send_all
check 'a fresh copy of the tree' fresh_copy
check 'quickstart.sh sends a mail in it' quickstart
check 'quickstart.sh works a second time' quickstart
exit $failed
