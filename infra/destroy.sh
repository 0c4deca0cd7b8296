#!/usr/bin/env bash
# Deletes one environment with all its data, and frees its names. The app registration stays.
#
# Usage: infra/destroy.sh dev|beta|prod
set -euo pipefail

environment=${1:?"Usage: infra/destroy.sh dev|beta|prod"}
group=rg-voice-$environment

read -r -p "Everything in $group will be gone, conversations included. Type $environment to go on: " typed
if [ "$typed" != "$environment" ]; then
    echo "Nothing was deleted." >&2
    exit 1
fi

exists=$(az group exists --name "$group")
if [ "$exists" = true ]; then
    az group delete --name "$group" --yes
fi
# Deleted AI accounts and vaults keep their names for days, and the next deployment derives the same ones.
deleted=$(az cognitiveservices account list-deleted \
    --query "[?contains(id, '/resourceGroups/$group/')].[name, location]" --output tsv)
while IFS=$'\t' read -r account location; do
    if [ -n "$account" ]; then
        az cognitiveservices account purge --name "$account" --location "$location" --resource-group "$group"
    fi
done <<<"$deleted"
vaults=$(az keyvault list-deleted --resource-type vault \
    --query "[?contains(properties.vaultId, '/resourceGroups/$group/')].name" --output tsv)
while read -r vault; do
    if [ -n "$vault" ]; then az keyvault purge --name "$vault"; fi
done <<<"$vaults"
