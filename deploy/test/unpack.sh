#!/bin/sh
# Unpack packages of Debian without setting them up: unpack PACKAGE…
set -eu
cd /tmp
apt-get -qq download "$@"
for file in *.deb; do dpkg --fsys-tarfile "$file" | tar -x -C / --keep-directory-symlink; done
rm -f *.deb
