#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Fetch CBMC and the libraries that it was linked with, by apt-get and with the
# signatures of Debian, into a directory of their own. Debian 12 has no CBMC,
# its successor has one: it is unpacked, not installed, and runs with its own
# libc, so that nothing of the system changes.
#
# usage: unpack.sh DIR      makes DIR/root anew, and the command DIR/cbmc

set -eu
mkdir -p "$1"
dir=$(cd "$1" && pwd)
suite=trixie
packages='cbmc minisat libc6 libstdc++6 libgcc-s1'
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

rm -rf "$dir/root" "$dir/apt" "$dir/cbmc"
mkdir -p "$dir/root" "$dir/apt/lists/partial" "$dir/apt/archives/partial"
: >"$dir/apt/status"
# The mirror is the one that this system has its own packages from.
# shellcheck disable=SC2016
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' |
	grep -v security | head -n 1)
printf 'deb [signed-by=%s] %s %s main\n' $keyring \
	"${mirror:-http://deb.debian.org/debian}" $suite >"$dir/apt/sources.list"

apt_get() {
	apt-get -q -y -o "Dir::Etc::SourceList=$dir/apt/sources.list" \
		-o Dir::Etc::SourceParts=/dev/null \
		-o "Dir::State::Lists=$dir/apt/lists" \
		-o "Dir::State::status=$dir/apt/status" \
		-o "Dir::Cache=$dir/apt" -o APT::Sandbox::User=root \
		-o Debug::NoLocking=1 -o Acquire::Languages=none "$@"
}

apt_get update
# shellcheck disable=SC2086
(cd "$dir/apt/archives" && apt_get download $packages)
for archive in "$dir"/apt/archives/*.deb; do
	dpkg-deb -x "$archive" "$dir/root"
done
rm -rf "$dir/apt" "$dir/root/usr/share"

loader=$(find "$dir/root/usr/lib" -name 'ld-linux*.so.*' | head -n 1)
cat >"$dir/cbmc" <<EOF
#!/bin/sh
exec '$loader' --library-path '${loader%/*}:$dir/root/usr/lib' \\
	'$dir/root/usr/bin/cbmc' "\$@"
EOF
chmod 755 "$dir/cbmc"
"$dir/cbmc" --version
