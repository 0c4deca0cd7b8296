#!/bin/sh
# Shows the responses that clients receive when they send too large a body: Python's urllib, and Node's fetch and curl if
# they are installed.
# usage: scripts/refusals.sh [BASE [MEGABYTES...]]
set -eu

BASE=${1:-http://127.0.0.1:7071/api/voice}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- 0.2 12 40 101
BODY=$(mktemp)
trap 'rm -f "$BODY"' EXIT
export BASE BODY

with_urllib() {
    python3 -c '
import os, urllib.error, urllib.request
url, body = os.environ["BASE"] + "/speak", open(os.environ["BODY"], "rb").read()
request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
try: print(urllib.request.urlopen(request).status)
except urllib.error.HTTPError as error: print(error.read().decode())
except OSError as error: print("no response:", error)'
}

with_fetch() {
    node -e '
const body = require("fs").readFileSync(process.env.BODY)
fetch(process.env.BASE + "/speak", { method: "POST", headers: { "Content-Type": "application/json" }, body })
  .then(async (response) => console.log(await response.text()))
  .catch((error) => console.log("no response:", (error.cause ?? error).message))'
}

with_curl() {
    curl -s "$BASE/speak" -H 'Content-Type: application/json' "$@" --data-binary "@$BODY" || echo "no response: curl $?"
}

# Sends a request whose last bytes never arrive.
stalled() {
    python3 -c '
import http.client, os, urllib.parse
url = urllib.parse.urlsplit(os.environ["BASE"])
kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
connection = kind(url.netloc)
headers = {"Content-Type": "application/json", "Content-Length": "100000"}
connection.request("POST", url.path + "/speak", b"{", headers)
print(connection.getresponse().read().decode())'
}

show() {
    short=$(printf %s "$2" | sed -n 's/.*"status":\([0-9]*\).*"code":"\([^"]*\)".*/\1 \2/p')
    printf '%-24s %s\n' "$1" "${short:-${2:-an empty response}}"
}

for megabytes; do
    python3 -c 'import sys; sys.stdout.buffer.write(bytes(int(float(sys.argv[1]) * 1e6)))' "$megabytes" >"$BODY"
    show "$megabytes MB, urllib" "$(with_urllib)"
    if command -v node >/dev/null; then show "$megabytes MB, fetch" "$(with_fetch)"; fi
    if command -v curl >/dev/null; then
        show "$megabytes MB, curl" "$(with_curl)"
        show "$megabytes MB, curl, chunked" "$(with_curl -H 'Transfer-Encoding: chunked')"
    fi
done
show 'stalled, http.client' "$(stalled)"
