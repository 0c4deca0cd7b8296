#!/usr/bin/env bash
# Finds or creates what must exist before the templates are deployed, and prints it as NAME=value lines:
#   AUTH_CLIENT_ID  the app registration whose tokens callers send; a value in the environment is used unchanged
#   BUDGET_START    the month in which the budget was first created, which can never be changed
#
# Usage: infra/prepare.sh dev|beta|prod [--look]
#   --look  create and change nothing; if there is no app registration yet, its id is all zeros
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

# Each output of az is assigned on its own before it is tested, so that a failing az always stops the script.
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
