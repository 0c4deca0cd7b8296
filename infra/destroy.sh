#!/usr/bin/env bash
# Deletes one environment with all its data and telemetry, and frees its names. The app registration stays.
#
# Usage: infra/destroy.sh dev|beta|prod
set -euo pipefail
cd "$(dirname "$0")/.."

environment=${1:-}
group=rg-voice-$environment
if [ $# -ne 1 ] || [ ! -f "infra/main.$environment.bicepparam" ]; then
    echo "Usage: infra/destroy.sh dev|beta|prod" >&2
    exit 2
fi

typed=""
read -r -p "Everything in $group will be deleted, conversations included. Type $environment to continue: " typed ||
    [ -n "$typed" ] || echo "There is no input: run this in a terminal." >&2
if [ "$typed" != "$environment" ]; then
    echo "Nothing was deleted." >&2
    exit 1
fi

exists=$(az group exists --name "$group")
if [ "$exists" = true ]; then
    # A workspace deleted with its group keeps its telemetry for two weeks, and a new one of its name restores it.
    workspaces=$(az monitor log-analytics workspace list --resource-group "$group" --query '[].name' --output tsv)
    while read -r workspace; do
        if [ -n "$workspace" ]; then
            az monitor log-analytics workspace delete --resource-group "$group" --workspace-name "$workspace" \
                --force true --yes </dev/null
        fi
    done <<<"$workspaces"
    az group delete --name "$group" --yes
fi
# Deleted AI accounts and vaults keep their names for days, and the next deployment derives the same ones.
deleted=$(az cognitiveservices account list-deleted \
    --query "[?contains(id, '/resourceGroups/$group/')].[name, location]" --output tsv)
while IFS=$'\t' read -r account location; do
    if [ -n "$account" ]; then
        az cognitiveservices account purge --name "$account" --location "$location" --resource-group "$group" </dev/null
    fi
done <<<"$deleted"
vaults=$(az keyvault list-deleted --resource-type vault \
    --query "[?contains(properties.vaultId, '/resourceGroups/$group/')].name" --output tsv)
while read -r vault; do
    if [ -n "$vault" ]; then az keyvault purge --name "$vault" </dev/null; fi
done <<<"$vaults"
