# What ./run, ./test and ./cloister share: build the house, no more often than needed. Sourced, not run.

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
configuration=Release
web="$root/artifacts/web"

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_CLI_UI_LANGUAGE=en

say() { printf '%s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

# The SDK is the one thing that we do not install.
need_dotnet() {
    command -v dotnet >/dev/null || fail "Missing: the .NET 10 SDK (the command 'dotnet'). See https://dotnet.microsoft.com/download"
    (cd "$root" && dotnet --version >/dev/null 2>&1) || fail "Missing: the .NET SDK $(sed -n 's/.*"version": "\([0-9.]*\)".*/\1/p' "$root/global.json") or a later one of its line; here is $(cd / && dotnet --version 2>/dev/null || echo none)."
}

# need_package COMMAND PACKAGE REASON: as root we install it, otherwise we say what is missing.
need_package() {
    command -v "$1" >/dev/null || install_package "$@"
}

# need_file FILE PACKAGE REASON: the same for a package without a command.
need_file() {
    [ -e "$1" ] || install_package "$@"
}

install_package() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || fail "Missing: '$1' ($3). Install it with: apt-get install $2"
    say "Installing $2 ($3) …"
    { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "$2"; } >&2
}

# Restores only what changed, from the local cache where it can; in CI exactly what the lock files say.
restore() {
    local locked=()
    [ "${CI:-}" = true ] && locked=(--locked-mode)
    (cd "$root" && dotnet restore "$1" --verbosity quiet ${locked[@]+"${locked[@]}"}) >&2 || fail "The packages of $1 could not be restored."
}

build() {
    (cd "$root" && dotnet build "$1" --configuration "$configuration" --no-restore --verbosity quiet -clp:NoSummary) >&2 || fail "$1 does not build."
}

# Publishes the web app into $web, unless nothing that it is made of changed since.
publish_web() {
    local project="$root/src/Cloister.Web/Cloister.Web.csproj" stamp="$web/.made"
    local rooms=(Web Client Channel Attestation Transparency Vault Ledger Primitives Wire)
    local sources=("${rooms[@]/#/$root/src/Cloister.}" "$root/Directory.Build.props" "$root/Directory.Packages.props" "$root/src/Directory.Build.props")
    if [ -f "$stamp" ] && [ -z "$(find "${sources[@]}" \( -name bin -o -name obj -o -name node_modules \) -prune -o -type f -newer "$stamp" -print -quit)" ]; then
        return
    fi
    say "Publishing the web app …"
    rm -rf "$web"
    (cd "$root" && dotnet publish "$project" --configuration "$configuration" --no-restore --verbosity quiet -clp:NoSummary --output "$web") >&2 || fail "The web app does not publish."
    touch "$stamp"
}
