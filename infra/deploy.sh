#!/usr/bin/env bash
# Makes one environment what infra/main.ENV.bicepparam and the current commit say, and proves that it answers.
# Stops at the first failure; safe to run again from any state.
#
# Usage: infra/deploy.sh dev|beta|prod [--yes | --what-if]
#   --yes      change things without asking
#   --what-if  only show what would change
# From the environment: ALERT_EMAIL; AZURE_LOCATION (default eastus2); AUTH_CLIENT_ID (default: an app registration
# voice-ENV, made when missing). Before the answer to its question, nothing is made or changed.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=infra/patience.sh
source infra/patience.sh

usage="Usage: infra/deploy.sh dev|beta|prod [--yes | --what-if]"
environment=${1:-}
mode=${2:---ask}
if [ $# -gt 2 ] || [ ! -f "infra/main.$environment.bicepparam" ] || [[ ! $mode =~ ^--(ask|yes|what-if)$ ]]; then
    echo "$usage" >&2
    exit 2
fi
: "${ALERT_EMAIL:?"ALERT_EMAIL must name who is told when something is wrong."}"

name=voice-$environment
template=(--name "$name" --location "${AZURE_LOCATION:-eastus2}" --parameters "infra/main.$environment.bicepparam")
package=$(mktemp -d)
trap 'rm -rf "$package"' EXIT

step() { printf '\n== %s\n' "$*"; }

prepare() {
    local prepared
    prepared=$(infra/prepare.sh "$environment" "$@")
    while IFS='=' read -r key value; do export "$key=$value"; done <<<"$prepared"
}

confirm() {
    local typed=""
    if [ "$mode" = --yes ]; then return; fi
    read -r -p "Type $environment to go on: " typed ||
        [ -n "$typed" ] || echo "Nobody is there to type it: give --yes where nobody is." >&2
    if [ "$typed" != "$environment" ]; then
        echo "Nothing was changed." >&2
        exit 1
    fi
}

read_outputs() {
    local outputs key value
    outputs=$(az deployment sub show --name "$name" --output tsv \
        --query "properties.outputs | [keys(@), values(@)[].value]")
    # Azure tells of API_BASE_URL as apI_BASE_URL.
    outputs=$(paste -d = <(head -n 1 <<<"$outputs" | tr '\t[:lower:]' '\n[:upper:]') \
        <(tail -n 1 <<<"$outputs" | tr '\t' '\n'))
    for key in API_BASE_URL AZURE_RESOURCE_GROUP FUNCTION_APP_NAME FUNCTION_APP_URL CLIPS_TOPIC CLIPS_CONTAINER; do
        value=$(sed -n "s/^$key=//p" <<<"$outputs")
        export "$key=${value:?"The deployment has no output $key."}"
    done
}

# The commit's files, without those that .funcignore keeps out.
pack() {
    git ls-files | sort >"$package/all"
    git ls-files --cached --ignored --exclude-from=.funcignore | sort >"$package/kept-out"
    comm -23 "$package/all" "$package/kept-out" | tr '\n' '\0' |
        xargs -0 git archive --format=zip --output="$package/app.zip" HEAD --
}

publish() {
    az functionapp deployment source config-zip --resource-group "$AZURE_RESOURCE_GROUP" --name "$FUNCTION_APP_NAME" \
        --src "$package/app.zip" --build-remote true --output none
}

step "Subscription"
az account show --query name --output tsv
if [ "$mode" != --what-if ] && ! git diff --quiet HEAD; then
    echo "There are uncommitted changes. What is deployed is a commit: commit them first." >&2
    exit 1
fi

step "What would change"
(
    prepare --look
    az deployment sub what-if "${template[@]}"
)
if [ "$mode" = --what-if ]; then exit 0; fi
confirm
prepare

step "Resources"
az deployment sub create "${template[@]}" --output none
read_outputs

step "Code"
pack
patiently publish

step "Clip trigger"
infra/subscribe-clips.sh

step "Smoke test"
infra/smoke.sh
printf '\n%s\n' "$API_BASE_URL"
