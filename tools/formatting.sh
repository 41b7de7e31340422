#!/usr/bin/env bash
# Holds the sources to .editorconfig with the SDK's formatter. Columns may be aligned inside a line, which the formatter does not know:
# where it would only delete spaces behind the line's first word, that is allowed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# It ends with 2 where it would change something; any other end but 0 is a fault of its own.
{ dotnet format whitespace Cloister.slnx --no-restore --verify-no-changes --verbosity quiet 2>&1 || [ $? = 2 ]; } | awk '
    match($0, /\([0-9]+,[0-9]+\): error WHITESPACE/) {
        file = substr($0, 1, RSTART - 1)
        split(substr($0, RSTART + 1), place, /[,)]/)
        text = ""
        for (line = 1; line <= place[1] && (getline text < file) > 0; line++) { }
        close(file)
        if (/Delete [0-9]+ characters?\./ && substr(text, 1, place[2] - 1) ~ /[^ ]/) next
    }
    /error|warning/ { print; faults++ }
    END { exit faults > 0 }'
