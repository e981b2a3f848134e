#!/usr/bin/env bash
# Lints and tests each crate of this folder on its own. Give names to run only those:
# `tests/isolated/run.sh strict renamed`.
set -euo pipefail
cd "$(dirname "$0")"

# One for all: what they depend on is built once.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/../../target/isolated}"

if [ $# -eq 0 ]; then
    set -- */Cargo.toml
    set -- "${@%/Cargo.toml}"
fi
for crate in "$@"; do
    printf '\n-- isolated: %s\n' "$crate"
    (
        cd "$crate"
        cargo clippy --quiet --all-targets -- -D warnings
        cargo test --quiet
    )
done
