#!/usr/bin/env bash
# Holds the endpoints against the OpenAPI document that they serve, with data that fits it and data that does
# not. Schemathesis comes from PyPI into `target/`. What is given is passed on to it.
set -euo pipefail
cd "$(dirname "$0")/../.."
target=${CARGO_TARGET_DIR:-$PWD/target}
python=$target/schemathesis/bin/python
version=4.32.5
if ! "$python" -c "import importlib.metadata as m; assert m.version('schemathesis') == '$version'" 2>/dev/null; then
    python3 -m venv "$target/schemathesis"
    "$python" -m pip install --quiet "schemathesis==$version"
fi

# The tests' own program, so that it can be ended by its id.
program=$(cargo test --locked -p tests --test monitor --no-run --message-format=json |
    "$python" -c "import json, sys
print([line['executable'] for line in map(json.loads, sys.stdin) if line.get('executable')][-1])")
port=$("$python" -c "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); print(s.getsockname()[1])")
token=$("$python" -c "import secrets; print(secrets.token_hex(16))")
log=$target/schemathesis-server.txt
MONITOR_PORT=$port MONITOR_TOKEN=$token "$program" --ignored --exact serving::serve --nocapture >"$log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null || true' EXIT

url=http://127.0.0.1:$port/admin/api/monitoring
for _ in $(seq 600); do
    "$python" -c "import urllib.request; urllib.request.urlopen('$url/health/check')" 2>/dev/null && break
    kill -0 "$server" 2>/dev/null || { cat "$log"; exit 1; }
    sleep 0.1
done

# `ignored_auth` sends wrong tokens until nobody from this address is let in; `door.rs` tests the door.
# A name that nobody has is 404, which fits data that fits.
config=$PWD/tests/monitor/schemathesis.toml
# It keeps what it has found in the current folder.
cd "$target"
"$target/schemathesis/bin/schemathesis" --config-file "$config" run "$url/openapi.json" \
    --url "http://127.0.0.1:$port" \
    --header "Authorization: Bearer $token" \
    --checks all --exclude-checks ignored_auth \
    --generation-with-security-parameters false --generation-database none \
    --mode all --max-examples "${MAX_EXAMPLES:-50}" --seed "${SEED:-1}" --continue-on-failure --no-color "$@"

# It was asked a lot, and is as well as ever.
"$python" -c "import urllib.request; urllib.request.urlopen('$url/health/check')"
if grep -q "panicked at" "$log"; then
    grep -A3 "panicked at" "$log"
    exit 1
fi
