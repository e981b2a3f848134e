#!/usr/bin/env bash
# The same services over loopback with wrk: `edge/wrk.sh [ROUNDS] [SECONDS]`, from the folder of the benches.
# The server has one processor and wrk another; rounds alternate between the services, the median counts.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds="${1:-5}" seconds="${2:-3}"

for command in wrk taskset; do
    command -v "$command" >/dev/null || { echo "skipped: $command is not installed"; exit 0; }
done
target="${CARGO_TARGET_DIR:-target}"
cargo build --release --quiet --locked -p edge_bench

results=$(mktemp -d)
trap 'rm -rf "$results"; kill $(jobs -p) 2>/dev/null || true' EXIT

# `measure SERVICE PATH ROW`
measure() {
    local port
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    taskset -c 0 "$target/release/edge_bench" --serve "$1" "$port" &
    local server=$!
    until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do kill -0 "$server"; done
    taskset -c 1 wrk -t1 -c32 -d"${seconds}s" "http://127.0.0.1:$port$2" |
        awk '/^Requests\/sec/ {print $2}' >>"$results/$3"
    kill "$server"
    wait "$server" 2>/dev/null || true
}

for _ in $(seq "$rounds"); do
    measure plain /ok plain-ok
    measure ours /ok ours-ok
    measure tower-http /ok tower-http-ok
    measure plain /err plain-err
    measure ours /declared ours-declared
    measure tower-http /err tower-http-err
done

median() { sort -n "$results/$1" | awk '{all[NR] = $1} END {print all[int((NR + 1) / 2)]}'; }
base=$(median plain-err)
printf '| row | requests/s | x error by hand |\n|---|---:|---:|\n'
for row in plain-ok ours-ok tower-http-ok plain-err ours-declared tower-http-err; do
    awk -v row="$row" -v rate="$(median "$row")" -v base="$base" \
        'BEGIN {printf "| %s | %d | %.2f |\n", row, rate, rate / base}'
done
