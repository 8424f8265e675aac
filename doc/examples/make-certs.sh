#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Make a CA of one's own, a certificate for a server and one for a client, and
# two revocation lists: crl.pem, which is empty, and crl-revoked.pem, which has
# the server's certificate on it.
#
# usage: make-certs.sh DIR SERVER_NAME
#
# It needs certtool, of GnuTLS (on Debian in the package gnutls-bin).

set -eu
[ $# -eq 2 ] || { echo "usage: make-certs.sh DIR SERVER_NAME" >&2 && exit 64; }
command -v certtool >/dev/null || {
	echo "make-certs.sh: certtool is missing (Debian: gnutls-bin)" >&2
	exit 1
}
dir=$1
name=$2
mkdir -p "$dir"
cd "$dir"
umask 077

quietly() {
	"$@" >log 2>&1 || { cat log >&2 && exit 1; }
}

# make NAME OPTION...: a key, and a certificate as NAME.tmpl describes it.
make() {
	what=$1
	shift
	quietly certtool --generate-privkey --key-type ecdsa \
		--outfile "$what-key.pem"
	quietly certtool --load-privkey "$what-key.pem" \
		--template "$what.tmpl" --outfile "$what.pem" "$@"
}

cat >ca.tmpl <<END
cn = "Example CA"
ca
cert_signing_key
crl_signing_key
expiration_days = 3650
END
make ca --generate-self-signed

# The name that is verified is dns_name; cn is only for people.
cat >server.tmpl <<END
cn = "$name"
dns_name = "$name"
tls_www_server
signing_key
expiration_days = 90
END
make server --generate-certificate \
	--load-ca-certificate ca.pem --load-ca-privkey ca-key.pem

cat >client.tmpl <<END
cn = "alice"
tls_www_client
signing_key
expiration_days = 90
END
make client --generate-certificate \
	--load-ca-certificate ca.pem --load-ca-privkey ca-key.pem
# Certificate and key in one file.
cat client-key.pem >>client.pem

# crl NAME NUMBER OPTION...: a list that is valid for 30 days.
crl() {
	what=$1
	printf 'crl_next_update = 30\ncrl_number = %s\n' "$2" >"$what.tmpl"
	shift 2
	quietly certtool --generate-crl --template "$what.tmpl" \
		--load-ca-certificate ca.pem --load-ca-privkey ca-key.pem \
		--outfile "$what.pem" "$@"
}

crl crl 1
crl crl-revoked 2 --load-certificate server.pem
rm -f log
