# shellcheck shell=bash
# Sourced by the scripts beside it.

# Runs a command until it succeeds. Roles, DNS and edge locations take minutes to learn what was just deployed.
# PAUSE_SECONDS (default 30) between ATTEMPTS (default 40); what the command printed last stands above "Given up".
patiently() {
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

# The same with 3 ATTEMPTS by default: for what should be ready. Only a lost connection is a reason to ask again.
briefly() {
    ATTEMPTS=${ATTEMPTS:-3} patiently "$@"
}
