#!/usr/bin/env bash
# Finds, or makes, what must exist before the templates can run, and prints it as NAME=value lines:
#   AUTH_CLIENT_ID  the app registration whose tokens callers show; yours, when it is in the environment already
#   BUDGET_START    the month in which the budget was first made, which can never be changed
#
# Usage: infra/prepare.sh dev|beta|prod [--look]
#   --look  make and change nothing; of an app registration that is still to be made, the id is all zeros
set -euo pipefail
cd "$(dirname "$0")/.."

environment=${1:-}
mode=${2:---make}
if [ $# -gt 2 ] || [ ! -f "infra/main.$environment.bicepparam" ] || [[ ! $mode =~ ^--(make|look)$ ]]; then
    echo "Usage: infra/prepare.sh dev|beta|prod [--look]" >&2
    exit 2
fi
group=rg-voice-$environment
registration=voice-$environment

# Each answer is kept before it is looked at: a failing az must stop the script, wherever it stands.
find_registration() {
    AUTH_CLIENT_ID=$(az ad app list --filter "displayName eq '$registration'" --query '[0].appId' --output tsv)
}

make_registration() {
    local principal
    if [ -z "$AUTH_CLIENT_ID" ]; then
        # Version 2 tokens name the issuer that functionapp.bicep expects.
        AUTH_CLIENT_ID=$(az ad app create --display-name "$registration" --sign-in-audience AzureADMyOrg \
            --requested-access-token-version 2 --query appId --output tsv)
    fi
    az ad app update --id "$AUTH_CLIENT_ID" --identifier-uris "api://$AUTH_CLIENT_ID" >/dev/null
    principal=$(az ad sp list --filter "appId eq '$AUTH_CLIENT_ID'" --query '[0].id' --output tsv)
    if [ -z "$principal" ]; then
        az ad sp create --id "$AUTH_CLIENT_ID" >/dev/null
    fi
}

find_budget_start() {
    local exists start=""
    exists=$(az group exists --name "$group")
    if [ "$exists" = true ]; then
        start=$(az consumption budget list --resource-group "$group" \
            --query "[?name=='budget-voice-$environment'].timePeriod.startDate | [0]" --output tsv)
    fi
    start=${start:-$(date -u +%Y-%m-01)}
    BUDGET_START=${start%%T*}
}

if [ -z "${AUTH_CLIENT_ID:-}" ]; then
    find_registration
    if [ "$mode" = --make ]; then make_registration; fi
fi
find_budget_start

echo "AUTH_CLIENT_ID=${AUTH_CLIENT_ID:-00000000-0000-0000-0000-000000000000}"
echo "BUDGET_START=$BUDGET_START"
