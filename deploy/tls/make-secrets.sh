#!/bin/sh
# Create what deploy/compose.tls.yml mounts: certificates, tokens, and the password for Prefect's pages:
#   sudo deploy/tls/make-secrets.sh FOLDER [NAME_OR_ADDRESS…]
# Each container gets a folder of its own with what it needs, readable by the group 10001, to which its user belongs. When run again, it
# renews the certificate (name the same hosts again) and keeps tokens and password. A certificate of your own authority takes the place
# of server.pem, server.key and ca.pem.
set -eu
umask 027

folder=${1:?"usage: $0 FOLDER [NAME_OR_ADDRESS…]"}
shift
group=${NUMERAL_SECRETS_GROUP:-10001}
scripts=$(cd "$(dirname "$0")" && pwd)

mkdir -p "$folder/service" "$folder/web" "$folder/proxy"
chgrp "$group" "$folder" "$folder/service" "$folder/web" "$folder/proxy" 2>/dev/null || {
    echo "$0: $(id -un) may not give files in $folder to the group $group; run it as root, with sudo" >&2
    exit 1
}

place() { # FILE: what comes in gets its name once it is complete
    cat >"$1.new"
    chgrp "$group" "$1.new"
    chmod 640 "$1.new"
    mv "$1.new" "$1"
}

"$scripts/make-certificates.sh" "$folder/authority" "$@" >/dev/null
for name in service proxy; do
    # Between the two, key and certificate do not match; the service keeps the previous pair until they do.
    place "$folder/$name/server.key" <"$folder/authority/server.key"
    place "$folder/$name/server.pem" <"$folder/authority/server.pem"
done
for name in service web proxy; do place "$folder/$name/ca.pem" <"$folder/authority/ca.pem"; done

if [ ! -f "$folder/service/tokens" ]; then
    umask 077
    openssl rand -hex 32 >"$folder/admin-token"
    token=$(openssl rand -hex 32)
    printf %s "$token" | place "$folder/web/token"
    digest() { printf %s "$1" | openssl dgst -sha256 -r | cut -d' ' -f1; }
    {
        echo "# role:sha256:digest of the token; see docs/operations.md"
        echo "admin:sha256:$(digest "$(cat "$folder/admin-token")")"
        echo "predict:sha256:$(digest "$token")"
    } | place "$folder/service/tokens"
fi

if [ ! -f "$folder/proxy/htpasswd" ]; then
    umask 077
    openssl rand -hex 16 >"$folder/prefect-password"
    printf 'prefect:%s\n' "$(openssl passwd -6 -stdin <"$folder/prefect-password")" | place "$folder/proxy/htpasswd"
fi

echo "made in $folder: certificates and tokens; admin-token has the token of an administrator, and prefect-password the password"
echo "of the user prefect, for Prefect's pages. Only root can read these two; keep authority/ca.key where nobody else gets at it."
