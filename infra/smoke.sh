#!/usr/bin/env bash
# Proves that the product answers through Front Door, asks who is calling, and can be reached no other way.
#
# From the environment: API_BASE_URL, FUNCTION_APP_URL; both are outputs of main.bicep.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=infra/patience.sh
source infra/patience.sh

answers() { # status, url
    local status
    status=$(curl --silent --output /dev/null --max-time 30 --write-out '%{http_code}' "$2") || status="nothing"
    echo "$2 answers $status."
    [ "$status" = "$1" ]
}

# Deep: Speech, Azure OpenAI and Cosmos DB let the app's identity in.
patiently answers 200 "$API_BASE_URL/health?deep=1"
patiently answers 401 "$API_BASE_URL/conversations"
patiently answers 403 "$FUNCTION_APP_URL/api/voice/health"
