#!/usr/bin/env bash
# Tests that the product responds through Front Door, requires a token, and cannot be reached directly; and that the
# firewall passes each kind of request that clients send.
#
# From the environment: API_BASE_URL, FUNCTION_APP_URL; both are outputs of main.bicep.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=infra/retry.sh
source infra/retry.sh

recording=samples/hello.wav
long=$(mktemp)
trap 'rm -f "$long"' EXIT
# Longer than the 128 KB of a body that the firewall reads.
{
    printf '{"format": "wav", "audioData": "'
    cat "$recording" "$recording" "$recording" | base64 | tr -d '\n'
    printf '"}'
} >"$long"

answers() { # status, url, options of curl
    local status
    status=$(curl --silent --output /dev/null --max-time 30 --write-out '%{http_code}' "${@:3}" "$2") || status="nothing"
    echo "$2 answers $status."
    [ "$status" = "$1" ]
}

# Without a token the app returns 401; other statuses come from in front of it, 429 or 403 from the firewall.
passes() { # what, path, options of curl
    echo "Sending $1:"
    answers 401 "$API_BASE_URL$2" "${@:3}"
}

# The deep check succeeds when Speech, Azure OpenAI and Cosmos DB accept the app's identity.
retry_long answers 200 "$API_BASE_URL/health?deep=1"
retry_long answers 401 "$API_BASE_URL/conversations"

# Front Door and the app respond, so a failure from here on is not a matter of waiting.
json="Content-Type: application/json"
sdp="v=0
o=- 1 2 IN IP4 127.0.0.1
s=-
t=0 0
a=fingerprint:sha-256 4A:AD:B9:B1:3F:82:18:3B
m=audio 9 UDP/TLS/RTP/SAVPF 111
a=rtpmap:111 opus/48000/2"
retry_briefly passes "a recording" /process --header "Content-Type: audio/wav" --data-binary "@$recording"
retry_briefly passes "a recording of a browser" /process --header "Content-Type: audio/webm;codecs=opus" \
    --data-binary "@$recording"
retry_briefly passes "a recording of no type" /process --header "Content-Type:" --data-binary "@$recording"
retry_briefly passes "a long recording as JSON" /process --header "$json" --data-binary "@$long"
retry_briefly passes "a long recording in a form" /process --form "audio=@$long;type=audio/wav" --form "phrases=Get it"
retry_briefly passes "words that look like an attack" /process --header "$json" --header "Idempotency-Key: 1=1--'" \
    --data-binary "{\"text\": \"I'd say 1 = 1 -- '\", \"phrases\": [\"drop table\"]}"
retry_briefly passes "such words in the URL" "/process?phrases=1%20%3D%201%20--%20%27" --header "Content-Type: audio/wav" \
    --data-binary "@$recording"
retry_briefly passes "an offer (WHIP)" /session --header "Content-Type: application/sdp" --data-binary "$sdp"
retry_briefly passes "candidates of a session" /session/x --request PATCH --header 'If-Match: "x"' \
    --header "Content-Type: application/trickle-ice-sdpfrag" --data-binary "a=ice-ufrag:4ZcD"
retry_briefly passes "the end of a session" /session/x --request DELETE

retry_briefly answers 403 "$FUNCTION_APP_URL/api/voice/health"
