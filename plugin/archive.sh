#!/bin/sh
# Make the archive that firelift.yaml names, the same bytes each time, and print its digest.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
target=${1:-kubectl-firelift.tar.gz}
tar --create --sort=name --mtime='2026-01-01 00:00:00Z' --owner=0 --group=0 --numeric-owner --mode='u=rwX,go=rX' \
  --directory="$here" kubectl-firelift --directory="$here/.." LICENSE | gzip --no-name --best >"$target"
sha256sum "$target" | cut -d' ' -f1
