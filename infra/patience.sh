# shellcheck shell=bash
# Sourced by the scripts beside it.

# Runs a command until it succeeds. Roles, DNS and edge locations take minutes to learn what was just deployed.
# PAUSE_SECONDS (default 30) between ATTEMPTS (default 40).
patiently() {
    local attempt
    for ((attempt = 1; attempt <= ${ATTEMPTS:-40}; attempt++)); do
        if "$@"; then return 0; fi
        echo "Not yet ($attempt of ${ATTEMPTS:-40})." >&2
        sleep "${PAUSE_SECONDS:-30}"
    done
    return 1
}
