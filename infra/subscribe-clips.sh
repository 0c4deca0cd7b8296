#!/usr/bin/env bash
# Subscribes the deployed app to Event Grid's events of new clips. Can be run again.
#
# From the environment: AZURE_RESOURCE_GROUP, FUNCTION_APP_NAME, FUNCTION_APP_URL, CLIPS_TOPIC, CLIPS_CONTAINER; all are
# outputs of main.bicep.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=infra/retry.sh
source infra/retry.sh

app=(--resource-group "$AZURE_RESOURCE_GROUP" --name "$FUNCTION_APP_NAME")

find_trigger() {
    trigger=$(az functionapp function list "${app[@]}" \
        --query "[?config.bindings[?type=='blobTrigger']].name | [0]" --output tsv)
    [ -n "$trigger" ]
}

# The host creates this key when its blob extension first starts. It is valid for the webhook only.
find_key() {
    key=$(az functionapp keys list "${app[@]}" --query systemKeys.blobs_extension --output tsv)
    [ -n "$key" ]
}

# Event Grid validates the webhook, for which a sleeping app may be too slow the first time.
subscribe() {
    az eventgrid system-topic event-subscription create \
        --name clips \
        --resource-group "$AZURE_RESOURCE_GROUP" \
        --system-topic-name "$CLIPS_TOPIC" \
        --endpoint-type webhook \
        --endpoint "$FUNCTION_APP_URL/runtime/webhooks/blobs?functionName=Host.Functions.${trigger##*/}&code=$key" \
        --included-event-types Microsoft.Storage.BlobCreated \
        --subject-begins-with "/blobServices/default/containers/$CLIPS_CONTAINER/" \
        --output none
}

retry_long find_trigger
retry_long find_key
retry_long subscribe
