#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Have systemd itself look at the units: whether it understands every line, and
# how much of the machine they could reach.
#
# usage: units.sh SOURCE_DIR BUILD_DIR PROGRAM      of tools/systemd

set -u
source=$1
build=$2
program=$3
if ! command -v systemd-analyze >/dev/null; then
	echo 'no systemd-analyze here: nobody can say whether the units are right'
	exit 77
fi
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

# What is verified is what is installed, but for the program, which is not.
fill() {
	sed "s|^ExecStart=[^ ]*|ExecStart=$program|" "$1" >"$2"
}

mkdir "$work/system" "$work/user" "$work/run"
cp "$source"/*.socket "$source"/*.timer "$source"/*.path "$work/system"
cp "$source"/user/*.timer "$source"/user/*.path "$work/user"
for file in "$build"/*.service; do
	fill "$file" "$work/system/${file##*/}"
done
for file in "$build"/user/*.service; do
	fill "$file" "$work/user/${file##*/}"
done

# verify KIND: a line of output is something that was not understood. Of the
# units of the machine it says what has nothing to do with ours.
verify() {
	(
		cd "$work/$1" || exit 1
		# Of a template it wants an instance.
		for file in *; do
			case $file in
			*@.service) cp "$file" "${file%@.service}@1.service" ;;
			esac
		done
		# The templates are not among those that are looked at.
		XDG_RUNTIME_DIR=$work/run SYSTEMD_UNIT_PATH=$work/$1: \
			systemd-analyze "--$1" --man=no \
			verify ./*[!@].* 2>&1
	) >"$work/out"
	if grep -Ei 'sendmail-tls|Failed to initialize' "$work/out"; then
		echo "NOT OK: systemd does not understand the units for $1"
		failed=1
	fi
}

verify system
verify user

# exposure UNIT MAX: on systemd's scale from 0 to 10, here times ten.
exposure() {
	if ! systemd-analyze security --offline=true --threshold="$2" \
		"$work/system/$1" >"$work/out" 2>&1; then
		cat "$work/out"
		echo "NOT OK: $1 may reach more than it has to"
		failed=1
	fi
}

if systemd-analyze security --help 2>&1 | grep -q offline; then
	exposure sendmail-tls-submit@1.service 20
	exposure sendmail-tls-queue.service 20
else
	echo 'this systemd-analyze cannot look at a unit that is not loaded'
fi
exit $failed
