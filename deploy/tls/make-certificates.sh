#!/bin/sh
# Create a certificate authority, a server certificate and a client certificate, for trying TLS and mTLS:
#   deploy/tls/make-certificates.sh FOLDER [NAME_OR_ADDRESS…]
# When run again, it renews both certificates with the existing authority; name the same hosts again. A running server uses
# the new one within a second. In production, use certificates of your own authority.
set -eu
umask 077

folder=${1:?"usage: $0 FOLDER [NAME_OR_ADDRESS…]"}
shift
mkdir -p "$folder"
cd "$folder"

names="DNS:localhost,IP:127.0.0.1,IP:::1"
for name in "$@"; do
    case $name in
        *:* | *[0-9].[0-9]*.[0-9]*.[0-9]*) names="$names,IP:$name" ;;
        *) names="$names,DNS:$name" ;;
    esac
done

if [ ! -f ca.key ]; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 \
        -subj "/CN=Numeral's own authority" -keyout ca.key -out ca.pem 2>/dev/null
fi

issue() { # NAME USAGE
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$1" \
        -keyout "$1.key.new" -out "$1.csr" 2>/dev/null
    printf 'subjectAltName=%s\nextendedKeyUsage=%s\n' "$names" "$2" > "$1.ext"
    openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 90 -extfile "$1.ext" \
        -out "$1.pem.new" 2>/dev/null
    # Each file is renamed into place, so it is never read half written. Between the two renames, key and certificate do not
    # match; the server detects that, and keeps the previous pair until they do.
    mv "$1.key.new" "$1.key"
    mv "$1.pem.new" "$1.pem"
    rm -f "$1.csr" "$1.ext"
}
issue server serverAuth
issue client clientAuth
echo "made in $(pwd): ca.pem, server.pem and server.key, client.pem and client.key"
