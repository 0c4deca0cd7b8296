#!/usr/bin/env bash
# Before azd provisions: chooses the parameters of the environment, and hands azd what prepare.sh found.
set -euo pipefail
cd "$(dirname "$0")/.."

cp "infra/main.$AZURE_ENV_NAME.bicepparam" infra/main.bicepparam
prepared=$(infra/prepare.sh "$AZURE_ENV_NAME")
while IFS='=' read -r key value; do azd env set "$key" "$value" </dev/null; done <<<"$prepared"
