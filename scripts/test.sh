#!/usr/bin/env bash
# Everything that must pass, part by part, with the time of each. Parts: scripts/test.sh --list; some of them:
# scripts/test.sh format vet. All parts run even if one fails; the result is that of all of them.
#
# CI=true forgets cached test results. Otherwise Go may answer with a result that it already has for the same files.
# What is missing is installed on Debian as root, and said exactly elsewhere.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
exec </dev/null

# Built as on a machine with Go alone. Only the race detector needs a C compiler.
export CGO_ENABLED=0

# A checkout that belongs to somebody else is no reason for git to refuse to read it.
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0=$PWD

readonly BUDGET=1500 # seconds for all parts on 2 cores
CI=${CI:-false}
COUNT=()
[ "$CI" = true ] && COUNT=(-count=1)
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT

# name, seconds it may take from a cold start on 2 cores, what it does
PARTS=(
    "tools|60|install what is missing"
    "format|10|gofmt and bash -n"
    "build|180|go build of everything"
    "vet|60|go vet"
    "lint|150|staticcheck"
    "schema|60|buf: lint, breaking, generated code"
    "web|120|the web client: types, unit tests, built files as committed, size"
    "unit|240|go test of all packages but the simulation and end to end"
    "race|300|the race detector where goroutines meet"
)
[ ! -d internal/sim ] || PARTS+=("sim|200|the simulation, by seeds")
# These wait for most of their time and measure none: two at a time. All others have the machine to themselves.
PAIRED=(backup client demo kill protocol start)
PARTS+=("e2e|200|end to end, two at a time: ${PAIRED[*]}")
for dir in internal/e2e/*/; do
    [[ " ${PAIRED[*]} " == *" $(basename "$dir") "* ]] || PARTS+=("e2e/$(basename "$dir")|180|end to end: $dir")
done
PARTS+=("browsers|780|the web client in Chromium and Firefox, on the real server")

has_tests() { find "$1" -name '*_test.go' -print -quit 2>/dev/null | grep -q .; }

# install PACKAGE... : Debian packages, as root; otherwise the sentence that says what to do.
install() {
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "installing $*"
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"; } >"$TMP/apt" 2>&1 && return 0
        tail -20 "$TMP/apt"
    fi
    echo "missing: install $* (on Debian: apt-get install $*)"
    return 1
}

# need COMMAND PACKAGE... : the command is there afterwards, or the part fails.
need() {
    local command=$1
    shift
    command -v "$command" >/dev/null || install "$@"
}

part_tools() {
    local ok=0 want have
    command -v go >/dev/null || { echo "missing: Go $(awk '$1 == "go" { print $2 }' go.mod), https://go.dev/dl"; return 1; }
    command -v node >/dev/null && command -v npm >/dev/null || { echo "missing: Node 20 or newer, with npm (for the web client and generated code)"; ok=1; }
    need git git || ok=1
    need gcc gcc libc6-dev || ok=1 # the race detector needs cgo
    need chromium chromium fonts-noto-color-emoji || ok=1
    need firefox-esr firefox-esr || ok=1
    for list in internal/e2e/*/needs; do
        [ -f "$list" ] || continue
        while read -r command packages; do
            # shellcheck disable=SC2086 # a list of packages
            [ -z "$command" ] || need "$command" $packages || ok=1
        done <"$list"
    done
    go mod download || ok=1
    if command -v npm >/dev/null; then
        for dir in tools web; do
            want=$(cksum <$dir/package-lock.json)
            have=$(cat $dir/node_modules/.lock 2>/dev/null)
            [ "$want" = "$have" ] || { (cd $dir && npm ci --ignore-scripts --no-audit --no-fund) && echo "$want" >$dir/node_modules/.lock; } || ok=1
        done
    fi
    go version
    return $ok
}

part_format() {
    local ok=0 bad
    bad=$(find . \( -name .git -o -name node_modules -o -path ./internal/gen \) -prune -o -name '*.go' -exec gofmt -l {} +) || ok=1
    [ -z "$bad" ] || { echo "not formatted; gofmt -w:"; echo "$bad"; ok=1; }
    for script in scripts/*.sh .ci/run; do bash -n "$script" || ok=1; done
    return $ok
}

part_build() { go build ./...; }

part_vet() { go vet ./...; }

part_lint() {
    go build -C tools -o "$TMP/staticcheck" honnef.co/go/tools/cmd/staticcheck && "$TMP/staticcheck" ./...
}

part_schema() {
    local ok=0 base buf=$PWD/tools/node_modules/.bin/buf
    [ -x "$buf" ] || { echo "buf is not installed (part tools)"; return 1; }
    "$buf" lint || ok=1

    if ! git rev-parse --verify HEAD >/dev/null; then
        echo "buf breaking has nothing to compare with: git cannot read this checkout"
    else
        if base=$(git describe --tags --abbrev=0 --match 'v*' 2>/dev/null); then
            echo "compared with the last tag, $base"
        elif base=$(git rev-parse -q --verify 'HEAD~1'); then
            echo "compared with the commit before (there is no tag yet)"
        fi
        if [ -z "$base" ]; then
            echo "buf breaking has nothing to compare with: no tag, and a history of one commit"
        elif mkdir "$TMP/base" && git archive "$base" buf.yaml proto third_party | tar -x -C "$TMP/base"; then
            "$buf" breaking --against "$TMP/base" || ok=1
        else
            echo "the schemas of $base could not be read"
            ok=1
        fi
    fi

    # Generated aside and compared, so that this part changes nothing in the tree.
    if "$buf" generate -o "$TMP/gen"; then
        for gen in internal/gen web/src/gen; do
            diff -r "$TMP/gen/$gen" $gen || { echo "$gen differs from proto/: make generate"; ok=1; }
        done
    else
        ok=1
    fi
    return $ok
}

# gotest runs go test and keeps its own lines for the end of the output.
gotest() { go test "${COUNT[@]}" "$@" 2>&1 | tee -a "$TMP/gotest"; }

part_unit() {
    local packages
    packages=$(go list ./... | grep -vE '/internal/(e2e|sim)(/|$)') || return 1
    # shellcheck disable=SC2086 # a list of packages
    gotest -timeout 5m $packages
}

part_race() {
    local packages=()
    for dir in internal/kernel internal/cluster internal/gateway internal/server client; do
        has_tests "$dir" && packages+=("./$dir/...")
    done
    [ ${#packages[@]} -gt 0 ] || { echo "no package to run it on"; return 1; }
    CGO_ENABLED=1 gotest -race -short -timeout 5m "${packages[@]}"
}

part_sim() {
    gotest -timeout 5m ./internal/sim/...
}

part_e2e() { gotest -p 2 -timeout 5m "${PAIRED[@]/#/./internal/e2e/}"; }

part_e2e_alone() { gotest -timeout 5m "./internal/e2e/$1/..."; }

# The built files are made again, aside, and must be those that are committed.
part_web() {
    local ok=0
    (cd web && npx tsc --noEmit && NO_COLOR=1 npx vitest run 2>&1 | tee "$TMP/web") || ok=1
    (cd web && npx vite build --logLevel warn --outDir "$TMP/dist" --emptyOutDir) || return 1
    diff -rq "$TMP/dist" web/dist || { echo "web/dist differs from web/src: make web"; ok=1; }
    (cd web && node scripts/size.mjs) || ok=1
    return $ok
}

# On a build server what failed is run once more, on servers of its own, and the end of the output says so: what needs that is to be
# looked into.
part_browsers() {
    local failed names
    go build -o "$TMP/bonghwa" ./cmd/bonghwa || return 1
    browsers && return 0
    [ "$CI" = true ] || return 1
    failed=$(sed -nE 's/^ FAIL +(e2e\/[^ ]+\.test\.ts).*/\1/p' "$TMP/browsers" | sort -u | tr "\n" " ")
    [ -n "$failed" ] || return 1
    # By name, unless a whole file failed.
    names=$(sed -nE 's/^ FAIL +e2e\/[^ ]+\.test\.ts( > )?//p' "$TMP/browsers" | sed 's/ > / /g; s/[][\.*^$+?(){}|]/\\&/g' | sort -u)
    grep -qE '^$|^ \\\[' <<<"$names" && names=
    reasons
    AGAIN=$failed
    echo "once more: $failed"
    # shellcheck disable=SC2086 # a list of files
    browsers $failed -t "$(paste -sd '|' <<<"$names")"
}

browsers() { (cd web && NO_COLOR=1 BONGHWA_BIN=$TMP/bonghwa npx vitest run --config e2e/vitest.config.ts "$@" 2>&1 | tee "$TMP/browsers"); }

run() { # run NAME: the function of a part
    case $1 in
    e2e/*) part_e2e_alone "${1#e2e/}" ;;
    *) "part_$1" ;;
    esac
}

SUMMARY=() TOTAL=0 FAILED=0 AGAIN=
summary() {
    if [ -s "$TMP/gotest" ]; then
        echo
        echo "== go test said"
        grep -E '^(ok|FAIL|---|panic:|\?)' "$TMP/gotest"
    fi
    echo
    printf '%-18s %8s %8s  %s\n' part seconds budget result
    printf '%s\n' "${SUMMARY[@]}"
    printf '%-18s %8d %8d\n' total "$TOTAL" "$BUDGET"
    [ -z "$AGAIN" ] || echo "tried twice: $AGAIN"
    [ $FAILED = 0 ] || reasons
}

# reasons: what failed by name, as the last lines, which is all that some build servers show.
reasons() {
    echo
    {
        grep -hE '^ *--- FAIL|^panic:|^FAIL.*\[' "$TMP/gotest" | head -20
        # vitest's own list: a FAIL line for each test, and what was wrong right after it.
        grep -hE -A2 '^ FAIL |^⎯.* Unhandled' "$TMP/web" "$TMP/browsers" | cut -c1-300 | head -40
    } 2>/dev/null
}
trap 'echo "stopped"; summary; exit 1' TERM INT

main() {
    local wanted=" $* " spec name budget what start took result
    if [ "${1:-}" = --list ]; then
        for spec in "${PARTS[@]}"; do
            IFS='|' read -r name budget what <<<"$spec"
            printf '%-18s %s\n' "$name" "$what"
        done
        return 0
    fi
    for name in "$@"; do
        printf '%s\n' "${PARTS[@]}" | grep -q "^$name|" || { echo "there is no part $name; scripts/test.sh --list"; return 2; }
    done
    for spec in "${PARTS[@]}"; do
        IFS='|' read -r name budget what <<<"$spec"
        [ $# = 0 ] || [[ $wanted == *" $name "* ]] || continue
        echo
        echo "== $name: $what (budget $budget s)"
        start=$SECONDS result=ok
        run "$name" || { result=FAILED FAILED=1; }
        took=$((SECONDS - start))
        TOTAL=$((TOTAL + took))
        [ $took -le "$budget" ] || result="$result, over budget"
        echo "-- $name: $took s, $result"
        SUMMARY+=("$(printf '%-18s %8d %8d  %s' "$name" "$took" "$budget" "$result")")
    done
    summary
    if [ "$CI" = true ] && [ $TOTAL -gt $BUDGET ]; then
        echo "all parts together took longer than $BUDGET s"
        return 1
    fi
    return $FAILED
}
main "$@"
