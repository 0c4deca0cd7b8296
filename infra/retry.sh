# shellcheck shell=bash
# Sourced by the other scripts in this folder.

# Runs a command until it succeeds: a new deployment takes minutes to reach roles, DNS and edge locations.
# Pauses PAUSE_SECONDS (default 30) between ATTEMPTS (default 40). The command's last output precedes "Given up".
retry_long() {
    local attempt attempts=${ATTEMPTS:-40}
    for ((attempt = 1; attempt <= attempts; attempt++)); do
        if "$@"; then return 0; fi
        if [ "$attempt" -lt "$attempts" ]; then
            echo "Not yet ($attempt of $attempts)." >&2
            sleep "${PAUSE_SECONDS:-30}"
        fi
    done
    echo "Given up after $attempts attempts; the last failure is above." >&2
    return 1
}

# The same with 3 ATTEMPTS by default, for services that should be ready: only a lost connection justifies a retry.
retry_briefly() {
    ATTEMPTS=${ATTEMPTS:-3} retry_long "$@"
}
