#!/usr/bin/env bash
# Runs before azd provisions: selects the environment's parameters, and gives azd the variables that prepare.sh prints.
set -euo pipefail
cd "$(dirname "$0")/.."

cp "infra/main.$AZURE_ENV_NAME.bicepparam" infra/main.bicepparam
prepared=$(infra/prepare.sh "$AZURE_ENV_NAME")
while IFS='=' read -r key value; do azd env set "$key" "$value" </dev/null; done <<<"$prepared"
