#!/usr/bin/env bash
# The dashboard in a real browser: beside the example `service`, and before 200 000 errors. What it saw is in
# target/dashboard, as pictures.
set -euo pipefail
cd "$(dirname "$0")/../.."

missing=
for program in node npm chromium; do
    command -v "$program" >/dev/null || missing="$missing $program"
done
if [ -n "$missing" ]; then
    echo "skipped: there is no$missing"
    [ -z "${REQUIRE_SERVICES:-}" ] || exit 1
    exit 0
fi

cargo build --locked --quiet -p examples --example service
cargo build --locked --quiet -p tests --example many_errors
target=${CARGO_TARGET_DIR:-target}
folder=target/dashboard
mkdir -p "$folder"
cp tests/dashboard/package*.json tests/dashboard/*.mjs "$folder"
(cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)

CHROMIUM=$(command -v chromium)
export CHROMIUM
programs=$(cd "$target/debug/examples" && pwd)
cd "$folder"
# One program of many files: what is said twice is found before a browser does.
cat ../../error-monitor/src/dashboard/script/*.js >script.js
node --check script.js
node service.mjs "$programs/service" .
node many.mjs "$programs/many_errors" .
node corners.mjs "$programs/many_errors"
