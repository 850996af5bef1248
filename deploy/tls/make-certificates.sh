#!/bin/sh
# Make an authority, a certificate for the server and one for a client, to try TLS and mTLS with:
#   deploy/tls/make-certificates.sh FOLDER [NAME_OR_ADDRESS…]
# Run again, it renews the certificates of server and client under the authority that is there; a running server takes
# the new one at the next connection. For real use, take those of your own authority.
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
    # One rename each: nobody reads half a file. Between the two, key and certificate do not belong together; the server
    # sees that, and keeps what it has until they do.
    mv "$1.key.new" "$1.key"
    mv "$1.pem.new" "$1.pem"
    rm -f "$1.csr" "$1.ext"
}
issue server serverAuth
issue client clientAuth
echo "made in $(pwd): ca.pem, server.pem and server.key, client.pem and client.key"
