#!/usr/bin/env bash
# Deploys infra/main.ENV.bicepparam and the current commit to one environment, and tests that it responds.
# Stops at the first failure; can be run again from any state.
#
# Usage: infra/deploy.sh dev|beta|prod [--yes | --what-if]
#   --yes      change resources without asking
#   --what-if  only show what would change
# From the environment: ALERT_EMAIL; AZURE_LOCATION (default eastus2); AUTH_CLIENT_ID (default: an app registration
# voice-ENV, created if missing). Nothing is created or changed before the question is answered.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=infra/retry.sh
source infra/retry.sh

usage="Usage: infra/deploy.sh dev|beta|prod [--yes | --what-if]"
environment=${1:-}
mode=${2:---ask}
if [ $# -gt 2 ] || [ ! -f "infra/main.$environment.bicepparam" ] || [[ ! $mode =~ ^--(ask|yes|what-if)$ ]]; then
    echo "$usage" >&2
    exit 2
fi
: "${ALERT_EMAIL:?"ALERT_EMAIL must be the address that receives alerts."}"

# Older versions report the health check after publishing as a failure, because the app refuses the deployer's address.
oldest=2.87.0

name=voice-$environment
template=(--name "$name" --location "${AZURE_LOCATION:-eastus2}" --parameters "infra/main.$environment.bicepparam")
package=$(mktemp -d)
trap 'rm -rf "$package"' EXIT

step() { printf '\n== %s\n' "$*"; }

is_older() { # VERSION MINIMUM; a pre-release such as 2.87.0b1 is older than its release
    local place release=${1%%[!0-9.]*} this that
    IFS=. read -r -a this <<<"$release"
    IFS=. read -r -a that <<<"$2"
    for place in 0 1 2; do
        if ((10#${this[place]:-0} != 10#${that[place]:-0})); then
            ((10#${this[place]:-0} < 10#${that[place]:-0}))
            return
        fi
    done
    [ "$release" != "$1" ]
}

check_cli() {
    local version
    version=$(az version --query '"azure-cli"' --output tsv) || true
    if [[ $version != [0-9]* ]] || is_older "$version" "$oldest"; then
        echo "Azure CLI $oldest or newer is needed, but az is ${version:-not installed, or prints no version}." \
            "Update it: az upgrade, or https://learn.microsoft.com/cli/azure/install-azure-cli" >&2
        exit 1
    fi
}

prepare() {
    local prepared
    prepared=$(infra/prepare.sh "$environment" "$@")
    while IFS='=' read -r key value; do export "$key=$value"; done <<<"$prepared"
}

confirm() {
    local typed=""
    if [ "$mode" = --yes ]; then return; fi
    read -r -p "Type $environment to continue: " typed ||
        [ -n "$typed" ] || echo "There is no input: run this in a terminal, or pass --yes." >&2
    if [ "$typed" != "$environment" ]; then
        echo "Nothing was changed." >&2
        exit 1
    fi
}

read_outputs() {
    local outputs key value
    outputs=$(az deployment sub show --name "$name" --output tsv \
        --query "properties.outputs | [keys(@), values(@)[].value]")
    # Azure returns API_BASE_URL as apI_BASE_URL.
    outputs=$(paste -d = <(head -n 1 <<<"$outputs" | tr '\t[:lower:]' '\n[:upper:]') \
        <(tail -n 1 <<<"$outputs" | tr '\t' '\n'))
    for key in API_BASE_URL AZURE_RESOURCE_GROUP FUNCTION_APP_NAME FUNCTION_APP_URL CLIPS_TOPIC CLIPS_CONTAINER; do
        value=$(sed -n "s/^$key=//p" <<<"$outputs")
        export "$key=${value:?"The deployment has no output $key."}"
    done
}

# Packs the commit's files, without those that .funcignore excludes.
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

check_cli
step "Subscription"
az account show --query name --output tsv
if [ "$mode" != --what-if ] && ! git diff --quiet HEAD; then
    echo "There are uncommitted changes. Only commits are deployed: commit them first." >&2
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
# The app's role on the container of packages takes effect within ten minutes; later attempts would not help.
ATTEMPTS=${ATTEMPTS:-5} PAUSE_SECONDS=${PAUSE_SECONDS:-150} retry_long publish

step "Clip trigger"
infra/subscribe-clips.sh

step "Smoke test"
infra/smoke.sh
printf '\n%s\n' "$API_BASE_URL"
