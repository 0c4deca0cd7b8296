#!/bin/sh
# Prints the interpreters to use, the best first: one for 3.13 (the version in Azure) and one for 3.11, else one for 3.12.
set -eu

usable() { # path, version
    "$1" -c "import sys, venv, ensurepip; sys.exit('%d.%d' % sys.version_info[:2] != '$2')" 2>/dev/null
}

find_python() { # version
    for candidate in "python$1" python3 "${PYENV_ROOT:-$HOME/.pyenv}/versions/$1".*/bin/python; do
        if path=$(command -v "$candidate" 2>/dev/null) && usable "$path" "$1"; then
            echo "$path"
            return 0
        fi
    done
    return 1
}

found=""
for version in 3.13 3.11; do
    if path=$(find_python "$version"); then found="$found $version=$path"; fi
done
if [ -z "$found" ] && path=$(find_python 3.12); then found="3.12=$path"; fi
if [ -z "$found" ]; then
    echo "No Python 3.11, 3.12 or 3.13 with venv was found. Install one (Debian: apt-get install python3 python3-venv)." >&2
    exit 1
fi
echo "$found"
